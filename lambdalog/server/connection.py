"""One peer of the endpoint: what comes from it is read as it comes, what is whole is answered, in its order."""

from __future__ import annotations

import re
import socket
import time
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from lambdalog.server.incoming import Incoming, Refused
from lambdalog.waiting import aside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.server.http import HttpServer
    from lambdalog.wire import Response

_READ: Final = 65_536
# Of a body so many pieces are taken before others have their turn.
_READS: Final = 16
# What a peer that was refused still sends is taken for so long, and so many reads, so that our answer isn't lost in a reset.
_LINGER_SECONDS: Final = 0.5
_LINGER_READS: Final = 64
_BREAK: Final = re.compile(r"[\r\n]")
_REASONS: Final = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    409: "Conflict",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class Connection:
    """`turn` reads and answers; `until` is when, on the monotonic clock, it has waited long enough (`overdue`).

    `busy`: a thread reads, answers or ends it; no other may touch it then. Who calls the two has set it; they unset it.
    """

    def __init__(self, server: HttpServer, peer: socket.socket) -> None:
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = peer
        self.descriptor = peer.fileno()
        self.busy = False
        self.until = time.monotonic() + server.limits.idle_seconds
        self._server = server
        self._incoming = Incoming(server.body_max, server.budget)
        # When the head of the request that is coming began to come, and its body; 0.0 before that.
        self._head_began = self._body_began = 0.0
        # How many reads are left to a peer that was refused; it has no other rights.
        self._lingering = 0

    def turn(self) -> None:
        """Read what has come, and answer what is whole. Ends the connection when one of the two has enough."""
        data = self._read()
        if data is None:
            self._server.rest(self)
        elif not data:
            self.end()
        elif self._lingering:
            self._lingering -= 1
            if self._lingering:
                self._server.rest(self)
            else:
                self.end()
        else:
            incoming = self._incoming
            incoming.feed(data)
            reads = 1
            while (
                len(data) == _READ
                and incoming.in_body
                and incoming.refused is None
                and reads < _READS
                and (data := self._read() or b"")
            ):
                incoming.feed(data)
                reads += 1
            self._go_on()

    def _read(self) -> bytes | None:
        """What has come; nothing at the end, None if there is nothing just now."""
        try:
            return self.socket.recv(_READ)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def overdue(self) -> None:
        """It took too long."""
        if self._head_began and not self._lingering:
            self._incoming.refused = Refused(408, "the request took too long")
            self._go_on()
        else:
            self.end()

    def take_no_more(self) -> None:
        """See the end once what has come was read; what is being answered still gets its answer."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RD)

    def hang_up(self) -> None:
        """Let a thread that answers see the end."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Hang up."""
        self._incoming.release(self._incoming.held)
        self._server.forget(self)
        self.socket.close()

    def _go_on(self) -> None:
        incoming = self._incoming
        try:
            if incoming.done:
                kept = self._answer()
                self._head_began = self._body_began = 0.0
                if not kept:
                    self.end()
                    return
            if incoming.beside > self._server.limits.head:
                incoming.refused = incoming.refused or Refused(
                    431, "the head of the request, or what follows its body, is too long"
                )
            if incoming.refused is not None:
                self._refuse(incoming.refused)
            elif incoming.expects:
                incoming.expects = False
                self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        except OSError:  # it left, or doesn't read; nothing is owed to it
            self.end()
            return
        except BaseException:
            self.end()
            raise
        if not self._lingering:
            self._set_time()
        self._server.rest(self)

    def _set_time(self) -> None:
        """How long the peer may take for what is to come next."""
        incoming, limits, now = self._incoming, self._server.limits, time.monotonic()
        if not incoming.begun:
            self.until = now + limits.idle_seconds
        else:
            self._head_began = self._head_began or now
            self.until = self._head_began + limits.head_seconds
            if incoming.in_body:
                self._body_began = self._body_began or now
                self.until = self._body_began + limits.body_seconds + incoming.body_size / limits.slowest
        self._server.note(self.until)

    def _answer(self) -> bool:
        """Answer what is whole; whether the connection is kept."""
        server, incoming = self._server, self._incoming
        for request, wanted in incoming.done:
            keep = wanted and not server.stopping
            response = server.answer(request)
            # Before the peer can know that it was answered: it may send the next at once, elsewhere.
            incoming.release(len(request.body))
            self._respond(response, keep=keep, method=request.method)
            if not keep:
                return False
        incoming.done.clear()
        return True

    def _refuse(self, refused: Refused) -> None:
        response = self._server.refuse(self._incoming.request, refused.status, str(refused))
        self._respond(response, keep=False, method="")
        self._lingering = _LINGER_READS
        self.until = time.monotonic() + _LINGER_SECONDS
        self._server.note(self.until)
        self.socket.shutdown(socket.SHUT_WR)

    def _respond(self, response: Response, *, keep: bool, method: str) -> None:
        stream = response.stream
        headers = dict(response.headers)
        if stream is not None:
            headers["transfer-encoding"] = "chunked"
        elif response.status != 204:
            headers["content-length"] = str(len(response.body))
        if not keep:
            headers["connection"] = "close"
        # SDKs correct their clock by it.
        headers["date"] = _date(int(time.time()))
        lines = [f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Error')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        text = "\r\n".join(lines)
        if not text.count("\n") == text.count("\r") == len(lines) - 1:
            # What would end a header's line is replaced.
            text = "\r\n".join([_BREAK.sub(" ", line) for line in lines])
        head = f"{text}\r\n\r\n".encode("utf-8", "replace")
        if stream is not None:
            self._stream(head, response, stream)
        elif method == "HEAD" or response.status == 204:
            self._send(head)
        else:
            self._send(head + response.body)

    def _send(self, data: bytes) -> None:
        """Send all of it; who reads slowly is waited for beside the lead."""
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            with _Patience(self.socket, self._server.limits.send_seconds):
                self.socket.sendall(memoryview(data)[sent:])

    def _stream(self, head: bytes, response: Response, stream: Iterator[bytes]) -> None:
        try:
            with _Patience(self.socket, self._server.limits.send_seconds):
                self.socket.sendall(head + (_chunk(response.body) if response.body else b""))
                for part in stream:
                    if part:
                        self.socket.sendall(_chunk(part))
                    if response.endless and self._server.stopping:
                        break  # an end that its reader can tell from a broken connection
                self.socket.sendall(b"0\r\n\r\n")
        finally:
            close = getattr(stream, "close", None)
            if close is not None:
                close()


class _Patience:
    """While it lasts, a socket is waited for, and others are served meanwhile."""

    def __init__(self, peer: socket.socket, seconds: float) -> None:
        self._socket, self._seconds = peer, seconds

    def __enter__(self) -> None:
        aside()
        self._socket.settimeout(self._seconds)

    def __exit__(self, *exc: object) -> None:
        self._socket.setblocking(False)


@lru_cache(maxsize=2)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
