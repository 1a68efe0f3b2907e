"""The Python worker's way to the Runtime API: a response goes ahead, and its answer comes with the next event."""

from __future__ import annotations

import resource
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from lambdalog.runtime.http import Connection, Request
from lambdalog.runtime.workers import transport

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENT = {"Lambda-Runtime-Aws-Request-Id": "r2", "Lambda-Runtime-Deadline-Ms": "17"}


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Where the worker's client connects to; the client is a new one."""
    client = transport._Client()
    monkeypatch.setattr(transport, "_client", client)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", f"127.0.0.1:{listener.getsockname()[1]}")
        yield listener
    if client._socket is not None:
        client._socket.close()


def received(connection: Connection) -> list[Request]:
    """The next request that comes, with whatever comes with it."""
    while True:
        if found := connection.receive():
            return [item for item in found if isinstance(item, Request)]


def most_memory() -> int:
    """The most memory that this process ever took, in the system's unit."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_an_answer_comes_with_the_next_event(listener: socket.socket) -> None:
    """The response comes with what asks for the event, which tells that it was taken."""
    transport.post_invocation_result("r1", b'"done"', "application/json")
    with ThreadPoolExecutor(1) as worker:
        asking = worker.submit(transport.next)
        connection = Connection(listener.accept()[0])
        posted, asked = received(connection)
        connection.send("200 OK", b'{"n": 2}', EVENT)
        body, headers = asking.result()
    assert (posted.method, posted.path, posted.body) == (
        "POST",
        "/2018-06-01/runtime/invocation/r1/response",
        b'"done"',
    )
    assert posted.headers[transport.AHEAD.lower()] == "yes"
    assert int(posted.headers[transport.PEAK.lower()]) <= most_memory() * transport._PEAK_UNIT
    assert int(posted.headers[transport.PEAK.lower()]) > 1 << 20
    assert (asked.method, asked.path) == ("GET", "/2018-06-01/runtime/invocation/next")
    assert body == b'{"n": 2}'
    assert headers["Lambda-Runtime-Aws-Request-Id"] == "r2"
    assert headers["Lambda-Runtime-Deadline-Ms"] == 17
    connection.close()


def test_a_response_that_is_refused_ends_the_worker(listener: socket.socket) -> None:
    """The refusal is not taken for an event, nor an event that comes behind it."""
    transport.post_invocation_result("r1", b"1", "application/json")
    with ThreadPoolExecutor(1) as worker:
        asking = worker.submit(transport.next)
        connection = Connection(listener.accept()[0])
        connection.send("403 Forbidden", b"no")
        connection.send("200 OK", b"2", EVENT)
        with pytest.raises(RuntimeError, match="Failed to post: 403 no"):
            asking.result()
    connection.close()


def test_a_large_response_waits_to_be_taken(listener: socket.socket) -> None:
    """One that may be too large does not go ahead: its refusal is the post's own."""
    large = b"x" * (transport._AHEAD_MAX + 1)
    with ThreadPoolExecutor(1) as worker:
        posting = worker.submit(transport.post_invocation_result, "r1", large, "application/json")
        connection = Connection(listener.accept()[0])
        (posted,) = received(connection)
        assert posted.body == large
        assert transport.AHEAD.lower() not in posted.headers
        connection.send("413 Request Entity Too Large", b"too large")
        with pytest.raises(RuntimeError, match="Failed to post: 413 too large"):
            posting.result()
    connection.close()
