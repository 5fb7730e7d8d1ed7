"""What workers are started with."""

import os
import platform
import subprocess
import sys

import pytest
import ray

from runners.backends.processes import ProcessesRunner
from runners.backends.ray_tune import RayRunner
from runners.machine import WORKERS_MEMORY

STEPS = """
import ctypes, resource, threading
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
def step():
    block = ctypes.c_void_p(libc.malloc(2**26))
    libc.memset(block, 1, 2**26)
    libc.free(block)
def steps():
    step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
worker = threading.Thread(target=steps)
worker.start()
worker.join()
"""


def page_faults(environment: dict[str, str]) -> int:
    """Count those of ten steps that each take 64 MiB and give them back, in a thread as Tune's workers have it."""
    clean = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    command = [sys.executable, "-c", STEPS]
    return int(subprocess.run(command, capture_output=True, text=True, env=clean | environment, check=True).stdout)


@pytest.mark.slow  # 1.4 s
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library: the settings mean nothing to it")
def test_a_step_gets_its_memory_back() -> None:
    assert page_faults({}) > 1000
    assert page_faults(WORKERS_MEMORY) < 100


@pytest.mark.slow  # a Ray of its own to start
def test_workers_of_ray_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    with RayRunner(n_workers=1):
        told = ray.get(ray.remote(lambda: os.environ.get("GLIBC_TUNABLES")).remote())
    assert told == WORKERS_MEMORY["GLIBC_TUNABLES"]


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=1")
    with ProcessesRunner(n_workers=1):
        assert os.environ["GLIBC_TUNABLES"] == "glibc.malloc.check=1"
    monkeypatch.delenv("GLIBC_TUNABLES")
    with ProcessesRunner(n_workers=1):
        assert os.environ["GLIBC_TUNABLES"] == WORKERS_MEMORY["GLIBC_TUNABLES"]
