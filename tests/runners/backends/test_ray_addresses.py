"""Ray's two ways to wait for nothing: a cluster that is not there, and a folder too long for its sockets."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from runners.backends import ray_address, ray_folder
from runners.backends.ray_address import refuse_no_cluster
from runners.backends.ray_folder import bytes_too_many, folder_for_sockets
from runners.backends.ray_folder import ray_folder as folder_of_ray


class Server:
    """Listens at a port of this machine, and answers each greeting with some bytes, or with nothing at all."""

    def __init__(self, answer: bytes | None) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.held: list[socket.socket] = []
        threading.Thread(target=self._serve, args=(answer,), daemon=True).start()

    def _serve(self, answer: bytes | None) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            if answer is None:
                self.held.append(connection)
            else:
                connection.recv(64)
                connection.sendall(answer)
                connection.close()

    def close(self) -> None:
        self._socket.close()
        for connection in self.held:
            connection.close()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    one = Server(request.param)
    yield one
    one.close()


NO_ADDRESS = ("foo", "", ":6379", "head:", "head:x", "head:0", "head:99999", "head:-1")


@pytest.mark.parametrize("address", NO_ADDRESS)
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(RequestError, match="--address takes HOST:PORT of a cluster's head"):
        refuse_no_cluster(address)


def test_the_client_of_ray_is_refused() -> None:
    with pytest.raises(RequestError, match="ray://head:10001 is Ray's client"):
        refuse_no_cluster("ray://head:10001")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_nobody_there(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(RequestError, match=rf"no Ray cluster answers at {host.replace('[', '.')[:4]}.*: \S+ ?"):
        refuse_no_cluster(f"{host}:{port}")


def test_a_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*words: object, **more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(RequestError, match=r"no Ray cluster answers at head:6379: Name or service not known"):
        refuse_no_cluster("head:6379")


@pytest.mark.parametrize(
    "server", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b""], indirect=True
)
def test_somebody_else_is_there(server: Server) -> None:
    with pytest.raises(RequestError, match="something else than Ray's head is at that port"):
        refuse_no_cluster(server.address)


@pytest.mark.parametrize("server", [None], indirect=True)
def test_somebody_who_is_silent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_address, "SECONDS", 0.2)
    with pytest.raises(RequestError, match=r"nothing has come back for 0\.2 s"):
        refuse_no_cluster(server.address)


@pytest.mark.parametrize("server", [bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))], indirect=True)
def test_who_speaks_as_ray_does_is_let_through(server: Server) -> None:
    refuse_no_cluster(server.address)


def test_auto_without_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_address, "_found_by_ray", lambda: "")
    with pytest.raises(RequestError, match="Ray knows of no cluster on this machine"):
        refuse_no_cluster("auto")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        stale = f"127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setattr(ray_address, "_found_by_ray", lambda: stale)
    with pytest.raises(RequestError, match=f"no Ray cluster answers at {stale}, which is what auto means here"):
        refuse_no_cluster("auto")


def test_a_long_folder_is_reached_by_a_short_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    long = tmp_path / ("a folder of a job " * 8)
    long.mkdir()
    for name in ("TMPDIR", "RAY_TMPDIR"):
        monkeypatch.setenv(name, str(long))
        assert bytes_too_many(folder_of_ray()) > 0
        with folder_for_sockets() as folder:
            assert bytes_too_many(folder) <= 0
            (folder / "socket").touch()
            link = folder.parent
        assert (long / "ray" / "socket").is_file(), "what is written lies where it was meant to"
        assert not os.path.lexists(link)
    monkeypatch.setattr(ray_folder, "_SHORT", ("/nowhere",))
    with folder_for_sockets() as folder:
        assert folder == long / "ray", "Ray itself says what is wrong with it"


KILLED = """
import os, signal, sys
from runners.backends import ray_folder
ray_folder._SHORT = (sys.argv[1],)
with ray_folder.folder_for_sockets() as folder:
    print(folder.parent, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_link_of_a_driver_that_was_killed_goes_with_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_folder, "_SHORT", (str(tmp_path),))
    long = tmp_path / ("a folder of a job " * 8)
    long.mkdir()
    monkeypatch.setenv("RAY_TMPDIR", str(long))
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path], stdout=subprocess.PIPE, text=True, check=False, timeout=60
    )
    left, others = Path(killed.stdout.strip()), tmp_path / "gridsearch-of-others"
    assert (left / "ray").is_symlink()
    (long / "ray" / "a log").touch()
    others.mkdir()
    with folder_for_sockets() as first:
        assert not left.exists()
        with folder_for_sockets():
            assert first.parent.exists(), "its maker lives"
    assert others.exists()
    assert (long / "ray" / "a log").exists(), "the link went, and not what it led to"
    assert {*tmp_path.iterdir()} == {others, long}


def test_a_temporary_folder_that_is_not_there_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    for value in ("/nowhere/at/all", ""):
        monkeypatch.setenv("TMPDIR", value)
        assert folder_of_ray() == Path("/tmp/ray")
