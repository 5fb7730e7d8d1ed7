"""Whether a Ray cluster answers at an address: found out in seconds, where Ray itself would try for minutes."""

import os
import socket
import threading
from typing import Final

from gridsearch.errors import RequestError

SECONDS: Final = 8.0
"""After these, nobody answers."""
FORM: Final = "--address takes HOST:PORT of a cluster's head, as `ray start --head` prints it, or auto"
_GREETING: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""How a client of HTTP/2, which Ray speaks, begins: the preface, then a frame of no settings."""
_SETTINGS: Final = 4
"""The type of the frame that a server answers with, in its fourth byte."""


def refuse_no_cluster(address: str) -> None:
    """Raise RequestError where no Ray can be at an address, or none answers there."""
    if "://" in address:
        raise RequestError(f"{FORM}; {address} is Ray's client, by which a sweep cannot be followed")
    if address == "auto":
        found = _found_by_ray()
        if not found:
            raise RequestError("Ray knows of no cluster on this machine: name one by --address HOST:PORT")
        _refuse_silent(found, f"no Ray cluster answers at {found}, which is what auto means here")
        return
    _refuse_silent(address, f"no Ray cluster answers at {address}")


def _found_by_ray() -> str:
    """Ask Ray which cluster ``auto`` means: RAY_ADDRESS, what runs on this machine, or what its session file names."""
    from ray._private.services import canonicalize_bootstrap_address

    try:
        return canonicalize_bootstrap_address("auto") or ""
    except ConnectionError:
        return ""


def _refuse_silent(address: str, sentence: str) -> None:
    """Connect and greet. The name is looked up in a thread: how long that takes, nobody can say before."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise RequestError(f"{FORM}, but got {address!r}")
    told: list[str] = []
    asking = threading.Thread(target=_ask, args=(host.strip("[]"), int(port), told), daemon=True)
    asking.start()
    asking.join(SECONDS)
    fault = told[0] if told else f"nothing has come back for {SECONDS:g} s"
    if fault:
        raise RequestError(f"{sentence}: {fault}")


def _ask(host: str, port: int, told: list[str]) -> None:
    """Tell what is wrong, or nothing: an empty text."""
    try:
        with socket.create_connection((host, port), timeout=SECONDS) as connection:
            if os.environ.get("RAY_USE_TLS", "0") not in ("0", "", "false"):
                told.append("")  # it would have to be greeted in secret
                return
            connection.sendall(_GREETING)
            answer = b""
            while len(answer) < 9 and (more := connection.recv(9)):
                answer += more
    except TimeoutError:
        return  # whoever waits says so
    except OSError as error:
        told.append(error.strerror or str(error))
        return
    told.append("" if answer[3:4] == bytes((_SETTINGS,)) else "something else than Ray's head is at that port")
