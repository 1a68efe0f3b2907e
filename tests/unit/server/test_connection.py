"""One peer over a real socket, while others are served."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from lambdalog.server.limits import Limits
from lambdalog.waiting import aside, readable
from lambdalog.wire import Request, Response
from tests.unit.server.peers import echo, exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambdalog.server.http import HttpServer

QUICK = Limits(idle_seconds=0.2, head_seconds=0.2, body_seconds=0.2)


@pytest.mark.parametrize("say", [aside, int], ids=["says so", "says nothing"])
def test_who_waits_holds_nobody_up(serve: Callable[..., HttpServer], say: Callable[[], object]) -> None:
    """Others are answered, and what its own peer sends meanwhile comes after its answer."""
    go_on = threading.Event()

    def wait(request: Request) -> Response:
        if request.path == "/wait":
            say()
            assert go_on.wait(30)
        return echo(request)

    server = serve(wait)
    with socket.create_connection((server.host, server.port), timeout=30) as peer:
        peer.sendall(b"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
        for _ in range(2):
            peer.sendall(b"GET /then HTTP/1.1\r\nHost: h\r\n\r\n")
            close = b"GET /other HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
            assert b"/other" in exchange(server, close)
        go_on.set()
        data = b""
        while data.count(b"/then") < 2:
            data += peer.recv(1000)
    assert data.index(b"GET /wait") < data.index(b"GET /then")


def test_who_reads_slowly_holds_nobody_up(serve: Callable[..., HttpServer]) -> None:
    """An answer that is not taken, of one piece or of many, is waited for beside the others."""
    large = b"x" * 20_000_000

    def tell(request: Request) -> Response:
        parts = iter([large]) if request.path == "/parts" else None
        return Response(200, {}, b"" if parts or request.path == "/small" else large, parts)

    server = serve(tell)
    with ExitStack() as stack:
        peers = [
            stack.enter_context(socket.create_connection((server.host, server.port), timeout=30))
            for _ in "ab"
        ]
        for peer, path in zip(peers, (b"/whole", b"/parts"), strict=True):
            peer.sendall(b"GET %b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" % path)
            assert peer.recv(1000)
        small = b"GET /small HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        assert b"200 OK" in exchange(server, small)
        for peer in peers:
            size = 0
            while part := peer.recv(1_000_000):
                size += len(part)
            assert size > 19_999_000


def test_slow_senders_are_dropped_while_others_are_answered(serve: Callable[..., HttpServer]) -> None:
    """Whether somebody waits in the midst of work or asks without end."""
    stop = threading.Event()

    def wait(request: Request) -> Response:
        if request.path == "/wait":
            here, there = socket.socketpair()
            with here, there:
                while not stop.is_set():
                    if not readable(here.fileno(), 0.005):
                        stop.wait(0.005)
        return echo(request)

    server = serve(wait, QUICK)
    with socket.create_connection((server.host, server.port), timeout=30) as peer:
        peer.sendall(b"GET /wait HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert exchange(server, b"POST /a HT").startswith(b"HTTP/1.1 408 ")
        stop.set()
        assert b"/wait" in peer.recv(1000)


def test_a_stream_comes_in_chunks_as_it_is_made(serve: Callable[..., HttpServer]) -> None:
    """Each part is sent before the next is asked for; a peer that leaves closes the source."""
    gate, closed = threading.Semaphore(0), threading.Event()

    def parts() -> Iterator[bytes]:
        try:
            while gate.acquire(timeout=30):
                yield b"part"
        finally:
            closed.set()

    server = serve(lambda _: Response(200, {}, b"first", parts()))
    with socket.create_connection((server.host, server.port), timeout=30) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        data = b""
        while not data.endswith(b"5\r\nfirst\r\n"):
            data += peer.recv(1000)
        assert b"transfer-encoding: chunked" in data
        gate.release()
        assert peer.recv(1000) == b"4\r\npart\r\n"
    while not closed.is_set():
        gate.release()
        closed.wait(0.01)
