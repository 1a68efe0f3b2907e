"""What extensions subscribe to, and how it comes to them: over HTTP or TCP, with a word of what could not."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.runtime import platform_events
from lambdalog.runtime.extensions import Refused
from lambdalog.runtime.telemetry import Subscription, read_wish

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 30.0


def asked(port: int = 9000, **changes: Any) -> bytes:
    """A subscription's body, with changes."""
    wanted = {
        "schemaVersion": "2022-12-13",
        "types": ["platform", "function", "extension"],
        "buffering": {"maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25},
        "destination": {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{port}/in"},
    }
    return json.dumps(wanted | changes).encode()


def event(kind: str, record: object) -> dict[str, Any]:
    """A telemetry event."""
    return {"time": "2026-01-02T03:04:05.678Z", "type": kind, "record": record}


def dropped(records: int, size: int) -> dict[str, Any]:
    """The word of what was dropped."""
    return platform_events.logs_dropped(records, size, "behind").as_json(0)


@contextmanager
def consumer(*statuses: int) -> Iterator[tuple[int, list[list[dict[str, Any]]]]]:
    """An extension's listener that answers its requests with these statuses, then with 200; port, and what was taken."""
    taken: list[list[dict[str, Any]]] = []
    answers = list(statuses)

    class Hear(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = answers.pop(0) if answers else 200
            if status == 200:
                taken.append(body)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hear) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, taken
        finally:
            server.shutdown()
            thread.join()


def test_only_what_was_asked_for_comes() -> None:
    """A subscriber to functions' lines hears nothing of the platform's, nor of extensions."""
    with consumer() as (port, taken):
        subscription = Subscription("agent", read_wish(asked(port, types=["function"])), dropped)
        for kind in ("platform.start", "function", "extension"):
            subscription.add(event(kind, kind))
        subscription.flush(PATIENCE)
        subscription.close()
    assert [one["type"] for batch in taken for one in batch] == ["function"]


def test_over_tcp_each_event_is_a_line() -> None:
    """Newline-delimited JSON on a connection to the port that was named, in the order of the events."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        port = listener.getsockname()[1]
        wish = read_wish(asked(destination={"protocol": "TCP", "port": port}))
        subscription = Subscription("agent", wish, dropped)
        events = [event("function", f"line {number}\nand more") for number in range(100)]
        for one in events:
            subscription.add(one)
        got: list[Any] = []
        while len(got) < len(events):
            peer, _ = listener.accept()
            with peer, peer.makefile("rb") as lines:
                got += map(json.loads, lines)
        subscription.close()
    assert got == events


def test_what_was_dropped_is_told_with_the_next_that_comes() -> None:
    """platform.logsDropped has how many records and bytes could not be delivered, once; what comes later is whole."""
    with consumer(500, 500, 500) as (port, taken):
        subscription = Subscription("agent", read_wish(asked(port)), dropped)
        lost = [event("function", "lost"), event("function", "lost too")]
        for one in lost:
            subscription.add(one)
        subscription.flush(PATIENCE)
        for text in ("one", "two"):
            subscription.add(event("function", text))
            subscription.flush(PATIENCE)
        subscription.close()
    told, *rest = [one for batch in taken for one in batch]
    assert told["type"] == "platform.logsDropped"
    assert told["record"] == {
        "reason": "behind",
        "droppedRecords": 2,
        "droppedBytes": sum(len(json.dumps(one)) for one in lost),
    }
    assert [one["record"] for one in rest] == ["one", "two"]


def test_a_flood_that_nobody_takes_is_dropped_from_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than may wait: the oldest events go, and are counted; the newest are delivered once somebody listens."""
    monkeypatch.setattr("lambdalog.runtime.telemetry._PENDING_BYTES", 10_000)
    with consumer() as (port, taken):
        late = read_wish(asked(port, buffering={"timeoutMs": 30_000, "maxBytes": 1_048_576}))
        subscription = Subscription("agent", late, dropped)
        for number in range(200):
            subscription.add(event("function", f"{number:0100}"))
        subscription.flush(PATIENCE)
        subscription.close()
    told, *rest = [one for batch in taken for one in batch]
    assert told["record"]["droppedRecords"] + len(rest) == 200
    assert int(rest[-1]["record"]) == 199


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"types": []}, "types are"),
        ({"types": ["traces"]}, "types are"),
        ({"schemaVersion": "1999-01-01"}, "schemaVersion"),
        ({"buffering": {"maxItems": 1}}, "maxItems is from 1000 to 10000"),
        ({"buffering": {"maxBytes": 1}}, "maxBytes is from 262144 to 1048576"),
        ({"buffering": {"timeoutMs": 24}}, "timeoutMs is from 25 to 30000"),
        ({"destination": {"protocol": "HTTP", "URI": "http://example.com:9000"}}, "sandbox.localdomain"),
        ({"destination": {"protocol": "HTTP", "URI": "https://sandbox:9000"}}, "sandbox.localdomain"),
        ({"destination": {"protocol": "HTTP", "URI": "http://sandbox:99999999"}}, "URI"),
        ({"destination": {"protocol": "TCP", "port": 80}}, "ports are"),
        ({"destination": {"protocol": "UDP", "port": 9000}}, "HTTP and TCP"),
        ({"destination": None}, "no subscription"),
    ],
)
def test_what_is_no_subscription_is_refused(changes: dict[str, Any], what: str) -> None:
    """400 ValidationError, with what is wrong about it."""
    with pytest.raises(Refused) as refused:
        read_wish(asked(**changes))
    assert refused.value.status == "400 Bad Request"
    assert json.loads(refused.value.body)["errorType"] == "ValidationError"
    assert what in json.loads(refused.value.body)["errorMessage"]
