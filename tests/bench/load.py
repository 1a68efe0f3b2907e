"""Requests as many clients send them: how many a second are answered, and how long each takes."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it: requests a second, and seconds of the median and of the slowest in a hundred."""

    rate: float
    median: float
    slow: float


def load(clients: int, seconds: float, make: Callable[[], Callable[[], object]]) -> Load:
    """Have so many clients call for so long, each what `make` makes it; each calls once at least."""
    calls = [make() for _ in range(clients)]
    taken: list[list[float]] = [[] for _ in calls]
    failed: list[BaseException] = []
    begin = threading.Barrier(clients + 1)

    def run(call: Callable[[], object], mine: list[float]) -> None:
        begin.wait()
        until = time.perf_counter() + seconds
        try:
            while not mine or time.perf_counter() < until:
                at = time.perf_counter()
                call()
                mine.append(time.perf_counter() - at)
        except Exception as error:  # noqa: BLE001 - raised where the figures are read
            failed.append(error)

    threads = [
        threading.Thread(target=run, args=pair, daemon=True) for pair in zip(calls, taken, strict=True)
    ]
    for thread in threads:
        thread.start()
    begin.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    whole = time.perf_counter() - began
    if failed:
        raise failed[0]
    each = sorted(one for mine in taken for one in mine)
    return Load(len(each) / whole, statistics.median(each), each[-1 - len(each) // 100])


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

    def __call__(self) -> bytes:
        """Send it; the body of the answer. AssertionError for one that isn't 2xx."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=120)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(self._request)
        data = b""
        while (at := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        head, body = data[:at].lower(), data[at + 4 :]
        assert head[8:10] == b" 2", data[:600]
        headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if b"content-length" in headers:
            length = int(headers[b"content-length"])
            parts = [body]
            held = len(body)
            while held < length:
                parts.append(self._more())
                held += len(parts[-1])
            body = b"".join(parts)
        else:
            while not body.endswith(b"0\r\n\r\n"):
                body += self._more()
        if headers.get(b"connection") == b"close" or head.startswith(b"http/1.0"):
            self.close()
        return body

    def _more(self) -> bytes:
        assert self._socket is not None
        data = self._socket.recv(262_144)
        if not data:
            raise ConnectionResetError("the server hung up in an answer")
        return data

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
