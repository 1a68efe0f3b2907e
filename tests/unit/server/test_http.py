"""HTTP over real sockets: what peers may do, and how long."""

from __future__ import annotations

import errno
import gzip
import http.client
import logging
import re
import socket
import threading
import time
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdalog.server.followers import _Member
from lambdalog.server.http import HttpServer
from lambdalog.server.limits import Limits
from lambdalog.waiting import aside
from lambdalog.wire import Request, Response
from lambdalog.wire.bodies import NotPacked, TooLong, unpacked
from tests.unit.server.peers import echo, exchange, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNKED = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
QUICK = Limits(idle_seconds=0.2, head_seconds=0.2, body_seconds=0.2)


def test_requests_on_one_connection(serve: Callable[..., HttpServer]) -> None:
    """Kept alive, in order, whatever the body's form."""
    server = serve()
    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    for body in (b"", b"x" * 1000):
        connection.request("POST", "/a%20b?c=d", body, {"X-Say": "hällo".encode()})
        answer = connection.getresponse()
        assert answer.read() == b"POST /a%20b c=d " + body
        assert answer.headers["x-seen"].encode("latin-1").decode() == "hällo"
    connection.request(
        "POST", "/", iter([b"one", b"two"]), {"Transfer-Encoding": "chunked"}, encode_chunked=True
    )
    assert connection.getresponse().read() == b"POST /  onetwo"
    connection.close()


def test_pipelined_and_split_anywhere(serve: Callable[..., HttpServer]) -> None:
    """Two requests in one segment, or each byte in its own: answered alike, but for the second in which they are."""
    server = serve()
    dates = re.compile(rb"date: [^\r]+\r\n")
    two = b"POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
    two += b"GET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    whole = exchange(server, two)
    assert whole.count(b"HTTP/1.1 200 OK") == 2
    assert whole.index(b"POST /1  hi") < whole.index(b"GET /2  ")
    split = exchange(server, *(two[n : n + 1] for n in range(len(two))))
    assert dates.sub(b"", split) == dates.sub(b"", whole) != whole


def test_expect_continue(serve: Callable[..., HttpServer]) -> None:
    """The peer is told to go on."""
    server = serve()
    with socket.create_connection((server.host, server.port), timeout=30) as peer:
        peer.sendall(
            b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
        )
        assert peer.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.sendall(b"ok")
        assert b"POST /  ok" in peer.recv(1000)


def test_expect_continue_after_another_request(serve: Callable[..., HttpServer]) -> None:
    """Whoever sends the next head at once is told to go on, too."""
    server = serve()
    with socket.create_connection((server.host, server.port), timeout=5) as peer:
        peer.sendall(
            b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
            b"POST /2 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
        )
        data = b""
        while not data.endswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            data += peer.recv(1000)
        peer.sendall(b"ok")
        assert b"GET /1  " in data
        assert b"POST /2  ok" in peer.recv(1000)


@pytest.mark.parametrize(
    ("version", "then"),
    [(b"1.0", [b"", b"ok"]), (b"1.1", [b"ok", b"GET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"])],
    ids=["1.0 knows none", "already there"],
)
def test_none_is_told_to_go_on_for_nothing(
    serve: Callable[..., HttpServer], version: bytes, then: list[bytes]
) -> None:
    """A client of HTTP/1.0 would take it for its answer, and so would whoever has sent the body already."""
    head = b"POST / HTTP/%b\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n" % version
    answer = exchange(serve(), head + then[0], then[1])
    assert b"POST /  ok" in answer
    assert b"100 Continue" not in answer


@pytest.mark.parametrize(
    "next_one",
    [
        b"\x00\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n",
        b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n",
    ],
    ids=["no request", "too long", "another protocol"],
)
def test_what_came_whole_is_answered_before_the_next_is_refused(
    serve: Callable[..., HttpServer], next_one: bytes
) -> None:
    """The refusal is of what follows, so it comes after, and the connection ends with it."""
    answer = exchange(serve(), b"POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi" + next_one)
    first, _, refusal = answer.partition(b"POST /1  hi")
    assert first.startswith(b"HTTP/1.1 200 OK")
    assert refusal.startswith(b"HTTP/1.1 4")
    assert b"connection: close" in refusal


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001, b"413"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n", b"4"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, b"431"),
        (b"GET /" + b"x" * 70_000, b"431"),
        (CHUNKED + b"2\r\nhi\r\n0\r\nX: " + b"x" * 200_000, b"431"),
        (CHUNKED + b"2\r\nhi\r\n0\r\n" + b"X: x\r\n" * 40_000, b"431"),
        (CHUNKED + b"2;" + b"x" * 200_000, b"431"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"400"),
    ],
)
def test_what_is_not_taken(serve: Callable[..., HttpServer], sent: bytes, status: bytes) -> None:
    """One answer, then the server hangs up; nothing reaches what answers."""
    seen: list[Request] = []

    def note(request: Request) -> Response:
        seen.append(request)
        return echo(request)

    answer = exchange(serve(note), sent)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"connection: close" in answer
    assert seen == []


@pytest.mark.parametrize(
    ("sent", "known"),
    [(b"POST /a HT", b""), (b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc", b"/a")],
)
def test_slow_senders_are_dropped(serve: Callable[..., HttpServer], sent: bytes, known: bytes) -> None:
    """Whoever begins a request has to end it; what is refused is told by its head, where that has come."""
    answer = exchange(serve(limits=QUICK), sent)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nx-for: " + known + b"\r\n" in answer


@pytest.mark.parametrize(
    ("target", "told"),
    [(b"http://b:1/p?q=http://c/", b"b:1 /p q=http://c/"), (b"HTTP://b", b"b / "), (b"http://b?q", b"b / q")],
)
def test_a_target_with_its_host(serve: Callable[..., HttpServer], target: bytes, told: bytes) -> None:
    """A client that takes this for its proxy is answered alike, and its Host header can't say otherwise."""

    def tell(request: Request) -> Response:
        told = f"{request.headers['host']} {request.path} {request.query}"
        return Response(200, {}, told.encode())

    head = b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % target
    assert exchange(serve(tell), head).endswith(b"\r\n\r\n" + told)


def test_trailers_are_no_headers(serve: Callable[..., HttpServer]) -> None:
    """Who is let in, and how much may come, was judged by the head: nothing is added to it after the body."""
    answer = exchange(serve(), CHUNKED + b"2\r\nhi\r\n0\r\nHost: another\r\nX-Say: late\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\nx-seen: \r\n")
    assert answer.endswith(b"POST /  hi")


def test_small_chunks_may_come_one_by_one(serve: Callable[..., HttpServer]) -> None:
    """What frames a body is little beside each byte of it, however much it is in all."""
    server = serve(limits=Limits(head=100))
    chunks = [part for _ in range(50) for part in (b"1\r\n", b"x\r\n")]
    assert exchange(server, CHUNKED, *chunks, b"0\r\n\r\n").endswith(b"x" * 50)


def test_idle_peers_are_dropped_without_a_word(serve: Callable[..., HttpServer]) -> None:
    """Nothing was asked."""
    assert exchange(serve(limits=QUICK)) == b""


def test_who_has_sent_for_long_may_not_rest_as_long(serve: Callable[..., HttpServer]) -> None:
    """A peer that had time for its body, and then asks nothing more, is dropped as soon as any other."""
    server = serve(limits=Limits(idle_seconds=0.2, body_seconds=60))
    with socket.create_connection((server.host, server.port), timeout=20) as peer:
        peer.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\no")
        assert exchange(server) == b""  # by now nobody but this body is waited for
        peer.sendall(b"k")
        assert peer.recv(1000).endswith(b"ok")
        assert peer.recv(1000) == b""


def test_too_many_connections(serve: Callable[..., HttpServer]) -> None:
    """The next is told so at once, and others are served on."""
    server = serve(limits=Limits(connections=2))
    held = [socket.create_connection((server.host, server.port), timeout=30) for _ in range(2)]
    try:
        assert exchange(server).startswith(b"HTTP/1.1 503 ")
        held[0].sendall(b"GET /still HTTP/1.1\r\nHost: h\r\n\r\n")
        assert b"/still" in held[0].recv(1000)
    finally:
        for peer in held:
            peer.close()


def test_a_machine_without_a_thread_to_spare(
    serve: Callable[..., HttpServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that there is answers everybody, one after the other."""

    def slow(request: Request) -> Response:
        aside()
        time.sleep(0.02)  # longer than one may lead in the midst of one thing
        return echo(request)

    def scarce(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    server = serve(slow)
    with monkeypatch.context() as patch:
        patch.setattr(_Member, "start", scarce)
        for path in (b"/1", b"/2"):
            request = b"GET %b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" % path
            assert path in exchange(server, request)


class Scarce:
    """A listener of a process that has no descriptor left, the first time."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.left = 1

    def accept(self) -> tuple[socket.socket, object]:
        """As a socket's."""
        if self.left:
            self.left -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return self.listener.accept()

    def __getattr__(self, name: str) -> object:
        return getattr(self.listener, name)


def test_who_cannot_be_accepted_now_is_accepted_soon(caplog: pytest.LogCaptureFixture) -> None:
    """A process without a descriptor to spare says so, and tries again."""
    server = HttpServer(("127.0.0.1", 0), echo, refuse=refuse, body_max=lambda *_: 1000)
    server._listener = cast("socket.socket", Scarce(server._listener))
    server.start()
    try:
        close = b"GET /late HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        with caplog.at_level(logging.WARNING):
            assert b"/late" in exchange(server, close)
    finally:
        assert server.stop(1)
    assert "Too many open files" in caplog.text


def test_bodies_share_a_budget(serve: Callable[..., HttpServer]) -> None:
    """What is being sent at once is bounded over all connections, and given back."""
    server = serve(limits=Limits(all_bodies=1500))
    head = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n"
    with socket.create_connection((server.host, server.port), timeout=30) as first:
        first.sendall(head + b"x" * 999)
        for _ in range(1000):
            if b"503" in exchange(server, head + b"x" * 1000)[:15]:
                break
        else:
            pytest.fail("the budget was never spent")
        first.sendall(b"x")
        assert b"200 OK" in first.recv(2000)
    assert b"200 OK" in exchange(server, head + b"x" * 1000)


def test_a_running_request_gets_its_time(serve: Callable[..., HttpServer]) -> None:
    """Stop waits for what is being answered, and takes nothing new."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(request: Request) -> Response:
        begun.set()
        assert go_on.wait(5)
        return echo(request)

    server = serve(slow)
    answers: list[bytes] = []
    asking = threading.Thread(
        target=lambda: answers.append(exchange(server, b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"))
    )
    asking.start()
    assert begun.wait(5)
    stopped: list[bool] = []
    stopping = threading.Thread(target=lambda: stopped.append(server.stop(5)))
    stopping.start()
    while not server.stopping:
        begun.wait(0.001)
    go_on.set()
    asking.join()
    stopping.join()
    assert b"GET /slow" in answers[0]
    assert stopped == [True]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((server.host, server.port), timeout=30)


def test_any_bytes_get_an_answer_or_an_end(serve: Callable[..., HttpServer]) -> None:
    """No bytes hang a connection, or stop the server."""
    server = serve()
    pieces = st.binary(max_size=60) | st.sampled_from([b"\r\n", b"GET / HTTP/1.1\r\n", b"Host: h\r\n", b":"])

    @settings(deadline=None, max_examples=40)
    @given(st.lists(pieces, max_size=6))
    def check(parts: list[bytes]) -> None:
        answer = exchange(server, b"".join(parts), close=True)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 ")

    check()
    assert b"/alive" in exchange(server, b"GET /alive HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")


def test_gzip_bodies_are_unpacked_within_bounds() -> None:
    """A small body that would be huge costs no memory."""
    packed = Request("POST", "/", "", {"content-encoding": "gzip"}, gzip.compress(b"x" * 1000))
    assert unpacked(packed, 1000).body == b"x" * 1000
    with pytest.raises(TooLong):
        unpacked(packed, 999)
    for body in (b"nothing", packed.body[:-4], b"\x1f\x8b" + b"\0" * 30):
        with pytest.raises(NotPacked):
            unpacked(Request("POST", "/", "", {"content-encoding": "gzip"}, body), 999_999)
    plain = Request("POST", "/", "", {}, b"x")
    assert unpacked(plain, 0) is plain
