"""A feed whose lines and failures the test hands over itself."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

import pytest

from lambdalog.tail import Line
from tui.feed import FailureRow

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable


def line(
    number: int, message: str | None = None, *, at: int | None = None, group: str = "/aws/lambda/orders"
) -> Line:
    """The line with this number, a second after the one before it."""
    timestamp = 1_700_000_000_000 + number * 1000 if at is None else at
    return Line(timestamp, timestamp + 5, group, "stream", message or f"line {number}", f"{number:056d}")


class MockFeed:
    """Hands over what it is given, and counts what is asked of it."""

    label = "disk:demo"

    def __init__(self, history: list[Line] | None = None, failures: list[FailureRow] | None = None) -> None:
        self.past = history or []
        self.rows = failures or []
        self.coming: queue.Queue[list[Line]] = queue.Queue()
        self.found: list[Line] = []
        self.fail_with: Exception | None = None

    def history(self, limit: int) -> list[Line]:
        """What was before."""
        if self.fail_with is not None:
            raise self.fail_with
        return self.past[-limit:]

    def follow(self, since: int, deliver: Callable[[list[Line]], None], stop: threading.Event) -> None:
        """What the test puts into `coming`."""
        while not stop.is_set():
            try:
                deliver(self.coming.get(timeout=0.02))
            except queue.Empty:
                continue

    def failures(self) -> list[FailureRow]:
        """The rows the test gave."""
        return self.rows

    def lines_of(self, row: FailureRow) -> list[Line]:
        """What the test put into `found`."""
        return self.found

    def close(self) -> None:
        """Nothing to let go of."""


def failure_row(fingerprint: str = "f" * 16, request_id: str = "r-1", **changes: object) -> FailureRow:
    """A failure group of one."""
    fields: dict[str, object] = {
        "fingerprint": fingerprint,
        "type": "GatewayError",
        "message": "payment p-2 got no answer",
        "count": 1,
        "first_seen": 1_700_000_000_000,
        "last_seen": 1_700_000_000_000,
        "functions": ("payments",),
        "queue": "payments-dlq",
        "times": (1_700_000_000_000,),
        "request_ids": (request_id,),
        "body": "{}",
    }
    return FailureRow(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def feed() -> MockFeed:
    """A feed with a hundred lines of history."""
    return MockFeed([line(number) for number in range(100)])
