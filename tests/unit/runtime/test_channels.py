"""What an environment listens to."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, Any, cast

import pytest

from lambdalog.clock import SYSTEM
from lambdalog.runtime.channels import Channels
from lambdalog.runtime.http import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.runtime.http import Connection

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def gone() -> list[Connection]:
    """The connections that have ended."""
    return []


@pytest.fixture
def channels(gone: list[Connection]) -> Iterator[Channels]:
    """Those of an environment without processes: nothing is written, so no journal is needed."""
    made = Channels(cast("Any", None), SYSTEM, gone.append)
    yield made
    made.hang_up_all()
    made.close()


def asking(channels: Channels) -> socket.socket:
    """A runtime that asks for its next event."""
    host, _, port = channels.address.rpartition(":")
    made = socket.create_connection((host, int(port)), timeout=10)
    made.sendall(NEXT)
    return made


def test_what_is_asked_is_given_with_its_connection(channels: Channels) -> None:
    """A request comes whole, with where its answer goes."""
    with asking(channels):
        found: list[Any] = []
        while not found:
            found = channels.turn(1)
    ((request, _),) = found
    assert isinstance(request, Request)
    assert request.path.endswith("/invocation/next")


def test_who_was_killed_while_asking_is_not_heard_later(channels: Channels) -> None:
    """A connection that nobody had taken yet ends with the others: the next event isn't given to the dead."""
    with asking(channels) as client:
        channels.hang_up_all()
        assert hung_up(client)
    assert channels.turn(0) == []


def test_who_hangs_up_while_it_waits_to_go_on_is_let_go(channels: Channels, gone: list[Connection]) -> None:
    """A client that was killed between a request's head and its body harms nobody else."""
    host, _, port = channels.address.rpartition(":")
    with asking(channels), socket.create_connection((host, int(port)), timeout=10) as client:
        # Closed so, the connection is reset: nothing can be sent to it any more.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(b"POST /x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        client.close()
        found: list[Any] = []
        while not (found and gone):
            found += channels.turn(1)
    ((request, connection),) = found
    assert request.path.endswith("/invocation/next")
    assert connection not in gone


class Inside:
    """Processes with a network of their own: its listener is theirs. They write nothing."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.outputs: dict[str, tuple[int, int]] = {}
        self.telemetry, self._telemetry = os.pipe()
        self._word, self._say = os.pipe()

    def fileno(self) -> int:
        """Where word of them would come."""
        return self._word

    def close(self) -> None:
        """Close what is still open."""
        for fd in (self.telemetry, self._telemetry, self._word, self._say):
            os.close(fd)


def test_so_it_is_in_a_network_of_its_own(channels: Channels) -> None:
    """There the environment listens inside; let go of, it listens outside again."""
    inside = Inside()
    channels.attach(cast("Any", inside))
    with socket.create_connection(inside.listener.getsockname(), timeout=10) as client:
        client.sendall(NEXT)
        channels.hang_up_all()
        assert hung_up(client)
    channels.detach()
    inside.close()
    with asking(channels):
        while not channels.turn(1):
            pass


def test_all_connections_end_together(channels: Channels, gone: list[Connection]) -> None:
    """Whoever was heard is told of, and hung up."""
    with asking(channels) as client:
        while not channels.turn(1):
            pass
        channels.hang_up_all()
        assert hung_up(client)
    assert len(gone) == 1


def test_what_is_closed_may_be_closed_again(channels: Channels) -> None:
    """Whoever gives an environment up need not know whether another did."""
    for _ in range(2):
        channels.hang_up_all()
        channels.close()


def hung_up(client: socket.socket) -> bool:
    """Whether the other side has closed, in either of the ways in which that shows."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True
