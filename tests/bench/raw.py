"""A request as bytes that are made already, sent again and again: what is measured is the server, not a client.

One thread has all connections. It sends, waits for whichever is answered, and reads no more of the answer than where it ends,
so that clients take little of the processors that the servers need, and none waits for another.
"""

from __future__ import annotations

import re
import select
import socket
import time
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from tests.bench.load import Load, told

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS: Final = 120
_READ: Final = 262_144
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LAST: Final = re.compile(rb"HTTP/1\.0|.*\r\nconnection: *close", re.IGNORECASE | re.DOTALL)


def captured(client: Any, call: Callable[[Any], object]) -> bytes:
    """The bytes of the request that boto3's client makes of a call, which is not sent."""
    found: list[Any] = []

    def keep(request: Any, **_: Any) -> None:
        found.append(request)
        raise _Kept

    client.meta.events.register_first("before-send.*.*", keep)
    try:
        call(client)
    except _Kept:
        pass
    finally:
        client.meta.events.unregister("before-send.*.*", keep)
    request = found[0]
    url = urlsplit(request.url)
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else bytes(body)
    headers = {name: _text(value) for name, value in request.headers.items()} | {"Host": url.netloc}
    if request.method != "GET":
        headers["Content-Length"] = str(len(body))
    target = url.path + (f"?{url.query}" if url.query else "")
    head = f"{request.method} {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    return head.encode() + b"\r\n" + body


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class _Kept(BaseException):
    """botocore tries again after any exception of another kind."""


class Raw:
    """A client that sends the same bytes again and again over a connection that it keeps while the server does."""

    def __init__(self, url: str, request: bytes) -> None:
        split = urlsplit(url)
        self._address = (str(split.hostname), int(split.port or 80))
        self._request = request
        self._socket: socket.socket | None = None
        self._sent = 0
        self._answer = bytearray()
        # Where the answer's body begins and the answer ends; an end of 0 is not known yet, one of -1 is that of the last chunk.
        self._body, self._end = 0, 0

    def __call__(self) -> bytes:
        """Send it, and wait; the body of the answer. AssertionError for one that isn't 2xx."""
        self.begin()
        while not self.turn():
            assert self._socket is not None
            poll = select.poll()
            poll.register(self._socket, self.wants)
            assert poll.poll(PATIENCE_SECONDS * 1000), "no answer"
        return bytes(self._answer[self._body :])

    def begin(self) -> int:
        """Send as much as is taken at once; the connection's descriptor."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=PATIENCE_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.setblocking(False)
        self._sent, self._end = 0, 0
        self._answer.clear()
        self._send()
        return self._socket.fileno()

    @property
    def wants(self) -> int:
        """What to wait for."""
        return select.POLLIN if self._sent == len(self._request) else select.POLLIN | select.POLLOUT

    def turn(self) -> bool:
        """Send and read what can be; whether the answer is whole. A connection that is not kept is closed then."""
        assert self._socket is not None
        if self._sent < len(self._request):
            self._send()
        try:
            data = self._socket.recv(_READ)
        except BlockingIOError:
            return False
        if not data:
            raise ConnectionResetError("the server hung up in an answer")
        self._answer += data
        if not self._whole():
            return False
        if _LAST.match(self._answer, 0, self._body):
            self.close()
        return True

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self) -> None:
        assert self._socket is not None
        with memoryview(self._request) as whole:
            try:
                self._sent += self._socket.send(whole[self._sent :])
            except BlockingIOError:
                return

    def _whole(self) -> bool:
        answer = self._answer
        if not self._end:
            at = answer.find(b"\r\n\r\n")
            if at < 0:
                return False
            assert answer[8:10] == b" 2", bytes(answer[:600])
            self._body = at + 4
            length = _LENGTH.search(answer, 0, at)
            self._end = self._body + int(length[1]) if length else -1
        return answer.endswith(b"\r\n0\r\n\r\n") if self._end < 0 else len(answer) >= self._end

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def repeated(url: str, request: bytes, clients: int, seconds: float) -> Load:
    """Have so many clients send a request for so long, each once at least, and the next as soon as one is answered."""
    raws = [Raw(url, request) for _ in range(clients)]
    taken: list[float] = []
    busy: dict[int, tuple[Raw, float]] = {}
    poll = select.poll()

    def begin(raw: Raw) -> None:
        at = time.perf_counter()
        fd = raw.begin()
        busy[fd] = raw, at
        poll.register(fd, raw.wants)

    try:
        began = time.perf_counter()
        for raw in raws:
            begin(raw)
        while busy:
            ready = poll.poll(PATIENCE_SECONDS * 1000)
            assert ready, "no answer"
            for fd, _ in ready:
                raw, at = busy[fd]
                if raw.turn():
                    now = time.perf_counter()
                    taken.append(now - at)
                    del busy[fd]
                    if now - began < seconds:
                        begin(raw)
                    if fd not in busy:
                        poll.unregister(fd)
                else:
                    poll.modify(fd, raw.wants)
        return told(taken, time.perf_counter() - began)
    finally:
        for raw in raws:
            raw.close()
