"""The Telemetry API: what extensions have subscribed to, buffered as they wish, and delivered to them over HTTP or TCP.

Delivery has a thread for each subscription: an extension that does not read keeps nobody waiting, and what it can't be
given is dropped and counted, as in Lambda (`platform.logsDropped`).
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from lambdalog.runtime.extensions import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

TYPES: Final = ("platform", "function", "extension")
SCHEMAS: Final = frozenset({"2022-07-01", "2022-12-13", "2025-01-29", "2020-08-15", "2021-03-18"})
# The host that extensions give: the environment itself. Here that is this machine's loopback.
SANDBOX: Final = frozenset({"sandbox", "sandbox.localdomain", "localhost", "127.0.0.1", "[::1]"})
# Buffering: least, most, and what is taken where nothing is said (page of the Telemetry API).
_BOUNDS: Final = {
    "maxItems": (1000, 10_000, 10_000),
    "maxBytes": (262_144, 1_048_576, 262_144),
    "timeoutMs": (25, 30_000, 1000),
}
# What waits for a slow extension at most; the oldest goes first.
_PENDING_BYTES: Final = 16 * 1024 * 1024
_POST_SECONDS: Final = 5.0
_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """What an extension has asked for."""

    types: tuple[str, ...]
    max_items: int
    max_bytes: int
    timeout_ms: int
    protocol: str
    host: str
    port: int
    path: str


def read_wish(body: bytes) -> Wish:
    """A subscription's body. Refused (400 ValidationError) for what the API does not take."""
    try:
        asked = json.loads(body)
        types = tuple(dict.fromkeys(asked["types"]))
        destination = asked["destination"]
        buffering = asked.get("buffering") or {}
        schema = asked.get("schemaVersion", "2022-12-13")
        protocol = str(destination.get("protocol", "HTTP")).upper()
        numbers = {name: int(buffering.get(name, default)) for name, (_, _, default) in _BOUNDS.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _invalid("the body is no subscription: types and destination are wanted") from None
    if not types or not set(types) <= set(TYPES):
        raise _invalid(f"types are {', '.join(TYPES)}")
    if schema not in SCHEMAS:
        raise _invalid(f"schemaVersion {schema} is not supported")
    for name, (least, most, _) in _BOUNDS.items():
        if not least <= numbers[name] <= most:
            raise _invalid(f"{name} is from {least} to {most}")
    if protocol == "TCP":
        host, port, path = "127.0.0.1", destination.get("port"), ""
    elif protocol == "HTTP":
        try:
            url = urlsplit(str(destination.get("URI", "")))
            host, port, path = url.hostname or "", url.port or 80, url.path or "/"
        except ValueError:
            raise _invalid("the destination's URI is none") from None
        if url.scheme != "http" or host not in SANDBOX:
            raise _invalid("the destination's URI is http://sandbox.localdomain:PORT/PATH")
    else:
        raise _invalid("protocols are HTTP and TCP")
    if not isinstance(port, int) or not 1024 <= port <= 65535:
        raise _invalid("ports are from 1024 to 65535")
    return Wish(
        types,
        numbers["maxItems"],
        numbers["maxBytes"],
        numbers["timeoutMs"],
        protocol,
        "127.0.0.1",
        port,
        path,
    )


class Subscription:
    """Delivers to one extension until it is closed.

    What could not be delivered is told, as `dropped(records, bytes)` words it, before the next that can: an extension
    that never listens again is not told of that either.
    """

    def __init__(self, name: str, wish: Wish, dropped: Callable[[int, int], dict[str, Any]]) -> None:
        self.name = name
        self.wish = wish
        self._dropped = dropped
        self._changed = threading.Condition()
        self._pending: list[tuple[float, bytes]] = []
        self._bytes = 0
        self._lost = self._lost_bytes = 0
        self._sending = False
        self._flushing = self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"lambdalog-telemetry-{name}")
        self._thread.start()

    def add(self, event: dict[str, Any]) -> None:
        """Take an event in, if its type was asked for."""
        if event["type"].partition(".")[0] not in self.wish.types:
            return
        data = json.dumps(event).encode()
        with self._changed:
            self._pending.append((time.monotonic(), data))
            self._bytes += len(data)
            while self._bytes > _PENDING_BYTES:
                _, old = self._pending.pop(0)
                self._bytes -= len(old)
                self._lose([old])
            self._changed.notify_all()

    def flush(self, seconds: float) -> None:
        """Deliver what there is, within so many seconds."""
        until = time.monotonic() + seconds
        with self._changed:
            self._flushing = True
            self._changed.notify_all()
            while (self._pending or self._sending) and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            self._flushing = False

    def close(self) -> None:
        """Deliver no more. What waits still is dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(_POST_SECONDS + 1)

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            with self._changed:
                lost, lost_bytes = self._lost, self._lost_bytes
            told = []
            if lost and "platform" in self.wish.types:
                told = [json.dumps(self._dropped(lost, lost_bytes)).encode()]
            delivered = self._deliver(told + batch)
            with self._changed:
                if delivered:
                    self._lost, self._lost_bytes = self._lost - lost, self._lost_bytes - lost_bytes
                else:
                    self._lose(batch)
                self._sending = False
                self._changed.notify_all()

    def _lose(self, events: list[bytes]) -> None:
        self._lost += len(events)
        self._lost_bytes += sum(map(len, events))

    def _next(self) -> list[bytes] | None:
        """The next batch, once it is due; None at the end."""
        with self._changed:
            while not self._closed:
                due = self._due()
                if due is not None and due <= 0:
                    break
                self._changed.wait(due)
            if self._closed:
                return None
            batch: list[bytes] = []
            size = 0
            while self._pending and len(batch) < self.wish.max_items and size < self.wish.max_bytes:
                _, data = self._pending.pop(0)
                batch.append(data)
                size += len(data)
            self._bytes -= size
            self._sending = True
            return batch

    def _due(self) -> float | None:
        """Seconds until a batch goes out; None while there is nothing."""
        if not self._pending:
            return None
        full = len(self._pending) >= self.wish.max_items or self._bytes >= self.wish.max_bytes
        if full or self._flushing:
            return 0.0
        return self._pending[0][0] + self.wish.timeout_ms / 1000 - time.monotonic()

    def _deliver(self, batch: list[bytes]) -> bool:
        for attempt in range(_ATTEMPTS):
            if attempt and self._closed:
                return False
            try:
                if self.wish.protocol == "TCP":
                    with socket.create_connection((self.wish.host, self.wish.port), _POST_SECONDS) as peer:
                        peer.sendall(b"\n".join(batch) + b"\n")
                    return True
                connection = http.client.HTTPConnection(self.wish.host, self.wish.port, timeout=_POST_SECONDS)
                try:
                    body = b"[" + b",".join(batch) + b"]"
                    connection.request("POST", self.wish.path, body, {"Content-Type": "application/json"})
                    if connection.getresponse().status < 500:
                        return True
                finally:
                    connection.close()
            except (OSError, http.client.HTTPException):
                time.sleep(0.05 * (attempt + 1))
        return False


def _invalid(what: str) -> Refused:
    return Refused("400 Bad Request", "ValidationError", what)
