"""Just enough HTTP/1.1 for a function's runtime client: requests from one worker, over loopback, parsed by hand.

Nothing general: the peer is a runtime client, or a function's code that speaks to the Runtime API itself.
"""

from __future__ import annotations

import socket
from typing import Final, NamedTuple

HEAD_MAX: Final = 64 * 1024
BODY_MAX: Final = 32 * 1024 * 1024


class Request(NamedTuple):
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Malformed(Exception):
    """The peer does not speak HTTP, or sends more than is taken."""


class Connection:
    """One connection from a worker."""

    def __init__(self, peer: socket.socket) -> None:
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = peer
        self._buffer = bytearray()
        self._continued = False
        self.closed = False

    def fileno(self) -> int:
        """For a selector."""
        return self.socket.fileno()

    def receive(self) -> list[Request]:
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
        requests = []
        while (found := self._next()) is not None:
            requests.append(found)
        return requests

    def send(self, status: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Answer. A peer that is gone is noticed at the next `receive`."""
        # Without a content type, awslambdaric 4.2.2 crashes.
        lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
        self.socket.setblocking(True)
        self.socket.settimeout(10)
        try:
            self.socket.sendall(data)
        except OSError:
            self.closed = True
        finally:
            self.socket.setblocking(False)

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def _next(self) -> Request | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > HEAD_MAX:
                raise Malformed("the head of a request is too long")
            return None
        try:
            first, *rest = self._buffer[:end].decode("latin-1").split("\r\n")
            method, path, _ = first.split(" ", 2)
            headers = {
                name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in rest)
            }
        except ValueError:
            raise Malformed("not a request") from None
        start = end + 4
        if headers.get("expect", "").lower() == "100-continue" and not self._continued:
            self._continued = True
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        found = self._body(headers, start)
        if found is None:
            return None
        body, stop = found
        del self._buffer[:stop]
        self._continued = False
        return Request(method, path, headers, body)

    def _body(self, headers: dict[str, str], start: int) -> tuple[bytes, int] | None:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks(start)
        try:
            length = int(headers.get("content-length", "0"))
        except ValueError:
            raise Malformed("not a length") from None
        if not 0 <= length <= BODY_MAX:
            raise Malformed("a body that is too long")
        if len(self._buffer) < start + length:
            return None
        return bytes(self._buffer[start : start + length]), start + length

    def _chunks(self, position: int) -> tuple[bytes, int] | None:
        parts = bytearray()
        while True:
            end = self._buffer.find(b"\r\n", position)
            if end < 0:
                return None
            try:
                size = int(self._buffer[position:end].split(b";")[0], 16)
            except ValueError:
                raise Malformed("not a chunk") from None
            position = end + 2
            if size < 0 or len(parts) + size > BODY_MAX:
                raise Malformed("a body that is too long")
            if size == 0:
                # Trailers end with an empty line.
                end = self._buffer.find(b"\r\n", position)
                while end > position:
                    position = end + 2
                    end = self._buffer.find(b"\r\n", position)
                return None if end < 0 else (bytes(parts), end + 2)
            if len(self._buffer) < position + size + 2:
                return None
            parts += self._buffer[position : position + size]
            position += size + 2
