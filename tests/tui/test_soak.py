"""The dashboard left open: an hour's lines go through it, and it is no larger afterwards."""

from __future__ import annotations

import gc
import resource
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tui.feeds import MockFeed, MockLogs
from tests.tui.made import line
from tests.tui.pilot import dashboard, until
from tui.feed.logs import Bar, Query

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from lambdalog.tail import Line

BATCH = 1000
KEPT = 10_000
# What an allocator may keep for itself.
SLACK_MB = 24.0


class Pouring(MockLogs):
    """Lines without end: as many as were asked for, a batch at a time, none of which it keeps."""

    def __init__(self) -> None:
        super().__init__([])
        self.wanted = 0
        self.given = 0
        self._numbers = count()

    def follow(
        self,
        query: Query,
        since: int,
        deliver: Callable[[list[Line], list[str]], None],
        stop: threading.Event,
        failed: Callable[[Exception], None],
    ) -> None:
        """A batch each time there is room for one."""
        while not stop.wait(0.002):
            if self.given < self.wanted:
                lines = [
                    line(
                        number, f'{{"level":"INFO","message":"line {number}"}}', at=1_700_000_000_000 + number
                    )
                    for number in _next(self._numbers)
                ]
                self.given += len(lines)
                deliver(lines, [])

    def bars(self, query: Query, start: int, step: int, count: int) -> list[Bar]:
        """Nothing to count: nothing is kept."""
        return [Bar(0, 0, 0)] * count


def _next(numbers: count[int]) -> list[int]:
    return [next(numbers) for _ in range(BATCH)]


def _resident_mb() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def _soak(warm: int, more: int) -> tuple[float, float]:
    """Resident MB after so many lines, and after so many more."""
    feed = MockFeed()
    pouring = feed.logs = Pouring()
    app = dashboard(feed, kept_lines=KEPT)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn)
        view = app.logs.view
        seen = []
        for lines in (warm, more):
            pouring.wanted += lines
            while view.buffer.total + view.buffer.trimmed < pouring.wanted:
                await pilot.pause(0.01)
            assert view.buffer.total <= KEPT * 1.1
            seen.append(_resident_mb())
        assert view.buffer.total + view.buffer.trimmed == warm + more
        return seen[0], seen[1]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's own figures")
async def test_it_does_not_grow() -> None:
    """Once as many lines are held as it keeps, more lines take no more memory; each is counted."""
    before, after = await _soak(30_000, 100_000)
    assert after - before < SLACK_MB


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's own figures")
async def test_an_hour_at_a_thousand_lines_a_second() -> None:
    """3.6 million lines later it is as large as before."""
    before, after = await _soak(200_000, 3_600_000)
    assert after - before < SLACK_MB
