"""One HTTP request as it comes, piece by piece: taken apart by llhttp, bounded, and refused as soon as that is known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import httptools

from lambdalog.wire import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.server.limits import Budget


# A target as proxies are asked for it: RFC 9112 has every server take it, and its host for the Host header.
_ABSOLUTE: Final = re.compile(r"https?://([^/?]*)", re.IGNORECASE)


class Refused(Exception):
    """What came is no request that we take; the answer closes the connection."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Incoming:
    """Requests as they come: fed with bytes, it has those that are `done`, and what is `refused` after them."""

    def __init__(self, body_max: Callable[[str, str, dict[str, str]], int], budget: Budget) -> None:
        self._body_max = body_max
        self._budget = budget
        self.done: list[tuple[Request, bool]] = []
        self.refused: Refused | None = None
        self.parser = httptools.HttpRequestParser(self)
        self.held = 0
        self._clear()

    def _clear(self) -> None:
        self.begun = False
        self.in_body = False
        self.expects = False
        # Bytes since the request began, or since the last byte of its body: head, framing, trailers.
        self.beside = 0
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._most = 0
        self._request: Request | None = None

    def feed(self, data: bytes) -> None:
        """Take what came. Once something is refused, nothing more may come."""
        self.beside += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self.refused is None:
                # llhttp ends such a request where the other protocol would begin.
                self.done.pop()
                self.refused = Refused(400, "no other protocol is spoken here")
        except httptools.HttpParserError:
            self.refused = self.refused or Refused(400, "not an HTTP request")

    def on_message_begin(self) -> None:
        """A first byte is there."""
        self.begun = True

    def on_url(self, url: bytes) -> None:
        """More of the path and query."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; twice only where that can't be meant in two ways. Trailers are none: what was judged is the head."""
        if self.in_body:
            return
        key = name.decode("latin-1").lower()
        text = value.decode("utf-8", "surrogateescape")
        if key not in self._headers:
            self._headers[key] = text
            return
        if key in {"host", "authorization", "content-length", "x-amz-target"}:
            self.refused = self.refused or Refused(400, f"{key} is there twice")
        self._headers[key] += f",{text}"

    def on_headers_complete(self) -> None:
        """The head is there: how much of a body is wanted, and whether the peer waits to be asked for it."""
        method = self.parser.get_method().decode("latin-1")
        target = self._url.decode("latin-1")
        if (absolute := _ABSOLUTE.match(target)) is not None:
            self._headers["host"] = absolute[1]
            target = target[absolute.end() :]
        path, _, query = target.partition("?")
        path = path or "/"
        self._most = self._body_max(method, path, self._headers)
        self.in_body = True
        self._request = Request(method, path, query, self._headers)
        length = self._headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length[:19]) > self._most:
            self.refused = self.refused or Refused(413, "the request is too large")
        elif self._headers.get("expect", "").lower() == "100-continue":
            # A client of HTTP/1.0 knows no answer before the answer.
            self.expects = self.parser.get_http_version() != "1.0"

    def on_body(self, data: bytes) -> None:
        """More of the body, as far as there is room."""
        self.beside = 0
        if self.refused is not None:
            return
        if len(self._body) + len(data) > self._most:
            self.refused = Refused(413, "the request is too large")
        elif not self._budget.take(len(data)):
            self.refused = Refused(503, "too much is being sent at once")
        else:
            self.held += len(data)
            self._body += data

    def on_message_complete(self) -> None:
        """The request is there."""
        if self.refused is None and self._request is not None:
            method, path, query, headers, _ = self._request
            request = Request(method, path, query, headers, bytes(self._body))
            self.done.append((request, self.parser.should_keep_alive()))
            self._clear()

    def release(self, size: int) -> None:
        """Give back to the budget what so many bytes of bodies took."""
        self.held -= size
        self._budget.give(size)

    @property
    def request(self) -> Request | None:
        """The one that is coming, without its body, once its head is there."""
        return self._request

    @property
    def body_size(self) -> int:
        """How much of the body has come."""
        return len(self._body)
