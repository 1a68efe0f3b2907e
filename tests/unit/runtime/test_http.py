"""HTTP from a worker, over a real socket."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from lambdalog.runtime.http import Connection, Malformed, Request

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    """A connection and the worker's end of it."""
    listener = socket.create_server(("127.0.0.1", 0))
    worker = socket.create_connection(listener.getsockname())
    peer, _ = listener.accept()
    connection = Connection(peer)
    yield connection, worker
    connection.close()
    worker.close()
    listener.close()


def receive(connection: Connection, count: int, looks: int = 10_000) -> list[Request]:
    """Take requests until there are so many."""
    found: list[Request] = []
    for _ in range(looks):
        found += (item for item in connection.receive() if isinstance(item, Request))
        if len(found) >= count or connection.closed:
            break
    return found


def test_requests_come_whole(pair: tuple[Connection, socket.socket]) -> None:
    """Bodies by length and by chunks, several in one piece or one in many."""
    connection, worker = pair
    worker.sendall(b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nX-A:  b \r\n\r\n")
    first, second = receive(connection, 2)
    assert (first.method, first.path, first.body) == ("POST", "/a", b"abc")
    assert second.headers == {"x-a": "b"}
    for byte in (
        b"POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n"
    ):
        worker.sendall(bytes([byte]))
    (third,) = receive(connection, 1)
    assert third.body == b"abcde"


def test_what_is_said_again_is_told_again(pair: tuple[Connection, socket.socket]) -> None:
    """Requests whose heads have the same lines, or all but one, have each its own path, headers and body; long ones too."""
    connection, worker = pair
    long = "x" * 5000
    told = [("a", "1", "v"), ("b", "22", "v"), ("c", "3", "w"), ("d", "4", long), ("e", "5", long)]
    for path, body, value in told * 2:
        head = f"POST /{path} HTTP/1.1\r\nX-A: {value}\r\nContent-Length: {len(body)}\r\n\r\n"
        worker.sendall(f"{head}{body}".encode())
    found = receive(connection, 10)
    assert [(one.path[1:], one.body.decode(), one.headers["x-a"]) for one in found] == told * 2


def test_a_careful_client_is_told_to_go_on(pair: tuple[Connection, socket.socket]) -> None:
    """A client that waits for 100 Continue gets it before its body."""
    connection, worker = pair
    worker.sendall(b"POST /a HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    while not (found := receive(connection, 1, looks=1)):
        worker.settimeout(5)
        assert worker.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        worker.sendall(b"ok")
    assert found[0].body == b"ok"


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 70_000,
    ],
)
def test_what_is_no_http_is_refused(pair: tuple[Connection, socket.socket], data: bytes) -> None:
    """Bad heads, lengths and chunks end the connection, and nothing else."""
    connection, worker = pair
    worker.sendall(data)
    with pytest.raises(Malformed):
        receive(connection, 1)


def test_a_peer_that_leaves_is_noticed(pair: tuple[Connection, socket.socket]) -> None:
    """The end of the connection shows at the next look."""
    connection, worker = pair
    worker.close()
    receive(connection, 1)
    assert connection.closed
