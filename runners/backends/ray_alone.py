"""A Ray for one run alone: it is heard on this machine only, and answers only to who knows its token.

Whoever may talk to a Ray can have it run code. By itself, Ray listens on all addresses of a machine, and keeps its
token in a file of the home that others may read.
"""

import contextlib
import importlib
import os
import secrets
from collections.abc import Iterator
from typing import Any

_MODE, _TOKEN, _TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"


@contextlib.contextmanager
def known_to_us_alone() -> Iterator[None]:
    """Have the Ray that is started within ask for a new token, unless the environment has one, or says otherwise.

    It stands in the environment, which this process and those that it starts can read, and is forgotten at the end.
    """
    before = {name: os.environ.get(name) for name in (_MODE, _TOKEN)}
    os.environ.setdefault(_MODE, "token")
    if _TOKEN_PATH not in os.environ:
        os.environ.setdefault(_TOKEN, secrets.token_hex(32))
    _look_again()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        _look_again()


def _look_again() -> None:
    """Have Ray read the environment anew: it remembers what it has read when it was loaded."""
    compiled: Any = importlib.import_module("ray._raylet")
    compiled.Config.initialize("")
    if hasattr(compiled, "AuthenticationTokenLoader"):  # an older Ray knows no tokens
        compiled.AuthenticationTokenLoader.instance().reset_cache()


@contextlib.contextmanager
def heard_here_alone() -> Iterator[None]:
    """Have the Ray that is started within listen on the loopback address, as it does by itself on macOS and Windows.

    An address that is passed to it does not: Ray takes another one of the machine where it is told 127.0.0.1. The
    variable RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER would, but is read when Ray is loaded, and would outlive this Ray.
    """
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
