"""Who listens is found by asking the kernel, and where it does not answer, in its table of connections."""

import os
import socket
from collections.abc import Callable, Iterator

import pytest

from procdeck.core import listeners
from procdeck.core.listeners import Listening, listening_ports
from procdeck.core.proctable import LINUX

pytestmark = pytest.mark.skipif(not LINUX, reason="there is no such look elsewhere")


@pytest.fixture(params=["127.0.0.1", "::1"])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        try:
            sock.bind((request.param, 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        sock.listen()
        yield sock


def ask_kernel() -> Listening:
    ports: Listening = {}
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, listeners._SOCK_DIAG) as asked:
        for family in (socket.AF_INET, socket.AF_INET6):
            listeners._ask_kernel(asked, family, ports)
    return ports


@pytest.mark.parametrize("look", [ask_kernel, listeners._in_proc, listening_ports])
def test_a_listening_socket_is_found_by_its_port_and_inode(
    listener: socket.socket, look: Callable[[], Listening]
) -> None:
    port = listener.getsockname()[1]
    assert os.fstat(listener.fileno()).st_ino in look()[port]


@pytest.mark.parametrize("look", [ask_kernel, listeners._in_proc])
def test_a_connection_is_no_listener(listener: socket.socket, look: Callable[[], Listening]) -> None:
    with socket.create_connection(listener.getsockname()[:2]) as caller:
        assert os.fstat(caller.fileno()).st_ino not in {inode for inodes in look().values() for inode in inodes}
        assert caller.getsockname()[1] not in look()


def test_without_an_answer_the_table_of_connections_is_read(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("not here")

    monkeypatch.setattr(listeners, "_ask_kernel", refused)
    found = listening_ports()
    assert found is not None
    assert listener.getsockname()[1] in found
