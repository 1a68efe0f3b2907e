"""Just enough HTTP/1.1 for a function's runtime client: requests from one environment, over loopback, parsed by hand.

Nothing general: the peer is a runtime client, an extension, or a function's code that speaks to the Runtime API itself.
"""

from __future__ import annotations

import select
import socket
import time
from functools import lru_cache
from typing import Final, NamedTuple

HEAD_MAX: Final = 64 * 1024
BODY_MAX: Final = 32 * 1024 * 1024
# A response of Lambda's may have 6 MB; AWS streams up to 200 MB.
STREAM_MAX: Final = 200 * 1024 * 1024
# awslambdaric puts an X-Ray fault of up to 1 MB into a header of its error report.
FAULT_HEAD_MAX: Final = 2 * 1024 * 1024
_SEND_SECONDS: Final = 10.0
_USUAL_MAX: Final = 1024


class Request(NamedTuple):
    """One request, whose headers others may share. `streaming`: its body comes as pieces, after it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    streaming: bool = False


class Piece(NamedTuple):
    """A piece of a streamed body; `trailers` are set, and `data` is empty, at its end."""

    data: bytes
    trailers: dict[str, str] | None = None


class Malformed(Exception):
    """The peer does not speak HTTP, or sends more than is taken."""


class _Fields(NamedTuple):
    """What the lines of a head say after its first. `length` is that of the body, None where it comes in chunks."""

    headers: dict[str, str]
    length: int | None
    streaming: bool
    expects: bool


class Connection:
    """One connection from an environment."""

    def __init__(self, peer: socket.socket) -> None:
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = peer
        self.closed = False
        # Whether nothing that still comes on it is to be answered.
        self.spoiled = False
        self._buffer = bytearray()
        # The request whose head has come; how much of its body is still to come (None: chunks), and the body so far.
        self._head: Request | None = None
        self._left: int | None = 0
        self._chunk = 0
        self._in_trailers = False
        self._trailers: dict[str, str] = {}
        self._body = bytearray()
        self._taken = 0
        self._announced = False

    def fileno(self) -> int:
        """For a selector."""
        return self.socket.fileno()

    def receive(self) -> list[Request | Piece]:
        """What has come whole. Sets `closed` when the peer is gone; Malformed if it is no HTTP."""
        while True:
            try:
                data = self.socket.recv(262_144)
            except BlockingIOError:
                break
            except OSError:
                self.closed = True
                break
            if not data:
                self.closed = True
                break
            self._buffer += data
            if len(data) < 262_144:
                break  # most often all there is; what came meanwhile makes the socket readable again
        found: list[Request | Piece] = []
        while (self._buffer or self._head is not None) and self._step(found):
            pass
        return found

    def send(self, status: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Answer. A peer that is gone is noticed at the next `receive`."""
        # Without a content type, awslambdaric 4.2.2 crashes.
        kind = (headers or {}).get("Content-Type", "application/json")
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items() if name != "Content-Type"]
        data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body
        try:
            sent = self.socket.send(data)
            if sent < len(data):
                self._send_rest(memoryview(data)[sent:])
        except OSError:
            self.closed = True

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def _send_rest(self, rest: memoryview) -> None:
        until = time.monotonic() + _SEND_SECONDS
        poll = select.poll()
        poll.register(self.socket, select.POLLOUT)
        while rest:
            if not poll.poll(max(until - time.monotonic(), 0) * 1000):
                raise TimeoutError("the peer does not read its answer")
            try:
                rest = rest[self.socket.send(rest) :]
            except BlockingIOError:
                continue

    def _step(self, found: list[Request | Piece]) -> bool:
        """Take one thing out of the buffer; False if nothing whole is in it."""
        if self._head is None:
            return self._take_head(found)
        if self._left is not None:
            return self._take_length(found)
        return self._take_chunk(found)

    def _take_head(self, found: list[Request | Piece]) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > FAULT_HEAD_MAX or (
                len(self._buffer) > HEAD_MAX
                and b"lambda-runtime-function-xray-error-cause" not in self._buffer.lower()
            ):
                raise Malformed("the head of a request is too long")
            return False
        first, _, rest = bytes(self._buffer[:end]).partition(b"\r\n")
        try:
            method, path, _ = first.decode("latin-1").split(" ", 2)
        except ValueError:
            raise Malformed("not a request") from None
        fields = _usual(rest) if len(rest) <= _USUAL_MAX else _fields(rest)
        length = fields.length
        if length is not None and len(self._buffer) >= end + 4 + length and not fields.streaming:
            body = bytes(self._buffer[end + 4 : end + 4 + length])
            del self._buffer[: end + 4 + length]
            found.append(Request(method, path, fields.headers, body))
            return True
        del self._buffer[: end + 4]
        self._left = length
        self._head = Request(method, path, fields.headers, b"", fields.streaming)
        self._chunk, self._in_trailers, self._trailers, self._taken = -1, False, {}, 0
        if fields.expects:
            try:
                self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            except OSError:
                self.closed = True
        return True

    def _take_length(self, found: list[Request | Piece]) -> bool:
        assert self._head is not None
        assert self._left is not None
        if not self._head.streaming:
            if len(self._buffer) < self._left:
                return False
            body = bytes(self._buffer[: self._left])
            del self._buffer[: self._left]
            found.append(Request(self._head.method, self._head.path, self._head.headers, body))
            self._head = None
            return True
        self._announce(found)
        piece = bytes(self._buffer[: self._left])
        del self._buffer[: len(piece)]
        self._left -= len(piece)
        if piece:
            found.append(Piece(piece))
        if self._left:
            return False
        self._finish(found)
        return True

    def _take_chunk(self, found: list[Request | Piece]) -> bool:
        assert self._head is not None
        if self._head.streaming:
            self._announce(found)
        if self._in_trailers or self._chunk < 0:
            end = self._buffer.find(b"\r\n")
            if end < 0:
                if len(self._buffer) > HEAD_MAX:
                    raise Malformed("not a chunk")
                return False
            line = self._buffer[:end].decode("latin-1")
            del self._buffer[: end + 2]
            if self._in_trailers:
                if line:
                    name, _, value = line.partition(":")
                    self._trailers[name.strip().lower()] = value.strip()
                else:
                    self._finish(found)
                return True
            try:
                self._chunk = int(line.split(";")[0], 16)
            except ValueError:
                raise Malformed("not a chunk") from None
            self._taken += self._chunk
            if self._chunk < 0 or self._taken > (STREAM_MAX if self._head.streaming else BODY_MAX):
                raise Malformed("a body that is too long")
            self._in_trailers = self._chunk == 0
            return True
        if len(self._buffer) < self._chunk + 2:
            return False
        data = bytes(self._buffer[: self._chunk])
        del self._buffer[: self._chunk + 2]
        self._chunk = -1
        if self._head.streaming:
            found.append(Piece(data))
        else:
            self._body += data
        return True

    def _announce(self, found: list[Request | Piece]) -> None:
        """Give a streamed request out, once, before its pieces."""
        if self._head is not None and not self._announced:
            found.append(self._head)
            self._announced = True

    def _finish(self, found: list[Request | Piece]) -> None:
        assert self._head is not None
        if self._head.streaming:
            found.append(Piece(b"", self._trailers))
        else:
            found.append(self._head._replace(body=bytes(self._body)))
        self._head = None
        self._announced = False
        self._body.clear()


def _fields(lines: bytes) -> _Fields:
    """Malformed for what is no head."""
    headers = {}
    try:
        for line in lines.decode("latin-1").split("\r\n") if lines else ():
            name, value = line.split(":", 1)
            headers[name.strip().lower()] = value.strip()
    except ValueError:
        raise Malformed("not a request") from None
    streaming = headers.get("lambda-runtime-function-response-mode", "").lower() == "streaming"
    length = None
    if headers.get("transfer-encoding", "").lower() != "chunked":
        try:
            length = int(headers.get("content-length", "0"))
        except ValueError:
            raise Malformed("not a length") from None
        if not 0 <= length <= (STREAM_MAX if streaming else BODY_MAX):
            raise Malformed("a body that is too long")
    return _Fields(headers, length, streaming, headers.get("expect", "").lower() == "100-continue")


# A runtime says the same with most of its requests: their lines are read once.
_usual = lru_cache(maxsize=64)(_fields)
