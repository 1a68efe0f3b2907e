"""The upkeep of a store that is read or served: again and again, in a process of its own where it takes long."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from lambdalog import child
from lambdalog.child import Child
from lambdalog.clock import SYSTEM, ManualClock
from lambdalog.errors import LambdalogError
from lambdalog.store import LogStore, Scan, keeping
from lambdalog.store.maintenance import SMALL_BYTES
from tests.unit.store.conftest import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator

T0 = 1_700_000_000_000


@pytest.fixture
def large(store: LogStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[LogStore]:
    """A store by the system's clock that is taken for a large one; what upkeep is done is not this process's."""
    store.append(GROUP, "s", [(T0 + n, "x" * SMALL_BYTES) for n in range(3)])
    store.close()
    monkeypatch.setattr(keeping, "APART_BYTES", SMALL_BYTES)
    monkeypatch.setattr(keeping, "maintain", lambda *_, **__: None)
    with LogStore(store.root, clock=SYSTEM) as found:
        yield found


def test_much_is_sealed_by_another_process(large: LogStore) -> None:
    """It is sealed when that has had its turn."""
    stop, errors = threading.Event(), list[LambdalogError]()
    thread = threading.Thread(
        target=keeping.keep_up, args=(large, stop), kwargs={"seconds": 0.01, "failed": errors.append}
    )
    thread.start()
    with large.follow(since=T0) as follower:
        while not large.segments(GROUP).sealed_names():
            follower.poll(0.05)
    stop.set()
    thread.join()
    assert errors == []
    assert [len(event.message) for event in large.scan(Scan(GROUP))] == [SMALL_BYTES] * 3


def test_a_process_that_fails_is_told(large: LogStore) -> None:
    """What went wrong there is told here, also where it ended without a word; nothing is lost."""
    stop, errors = threading.Event(), list[LambdalogError]()

    def failed(error: LambdalogError) -> None:
        errors.append(error)
        stop.set()

    large.layout.group(GROUP).sealed.rmdir()
    large.layout.group(GROUP).sealed.write_text("in the way")
    keeping.keep_up(large, stop, seconds=0.01, failed=failed)
    assert len(errors) == 1
    large.layout.group(GROUP).sealed.unlink()
    large.layout.group(GROUP).sealed.mkdir()
    assert len(list(large.scan(Scan(GROUP)))) == 3


def test_the_process_ends_with_the_loop(large: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who stops doesn't wait for a turn's end, and leaves no process behind."""
    begun = list[Child]()

    class Seen(Child):
        def __init__(self, *arguments: str) -> None:
            super().__init__(*arguments)
            begun.append(self)
            stop.set()

    stop = threading.Event()
    monkeypatch.setattr(child, "Child", Seen)
    errors = list[LambdalogError]()
    keeping.keep_up(large, stop, seconds=0, failed=errors.append)
    assert errors == []
    assert begun[0].process.returncode is not None
    assert len(list(large.scan(Scan(GROUP)))) == 3


def test_keeping_up_ends_when_told(store: LogStore) -> None:
    """The loop of a serving process seals what is idle, says what failed, and ends with its event."""
    store.append(GROUP, "s", [(T0, "x" * SMALL_BYTES)])
    stop = threading.Event()
    errors: list[LambdalogError] = []

    class Clock(ManualClock):
        turns = 0

        def wait(self, event: threading.Event, seconds: float) -> bool:
            self.turns += 1
            if self.turns > 10:
                event.set()
            return super().wait(event, seconds)

    store.clock = Clock()
    store.close()
    keeping.keep_up(store, stop, failed=errors.append)
    assert stop.is_set()
    assert errors == []
    assert len(store.segments(GROUP).sealed_names()) == 1
