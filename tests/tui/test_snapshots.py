"""Every screen as it was seen and found good: SVG at three widths in two themes.

After a change that is meant: SNAPSHOTS=write pytest tests/tui/test_snapshots.py, and look at what changed.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambdalog.clock import ManualClock
from tests.tui.feeds import MockFeed
from tests.tui.made import failures, groups, line, message_of, queue_of
from tests.tui.pilot import NOW
from tui.app import screenshot
from tui.feed.queues import Topic
from tui.logs import format as formats
from tui.modes import MODES

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).with_name("snapshots")
SIZES = ((80, 24), (120, 36), (200, 50))
THEMES = ("lambdalog", "high-contrast")
_LEVELS = ("INFO", "INFO", "INFO", "WARN", "INFO", "INFO", "ERROR")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Times of day are those of UTC, wherever this runs."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    formats._minute.cache_clear()
    yield
    monkeypatch.undo()
    time.tzset()
    formats._minute.cache_clear()


def filled() -> MockFeed:
    """A feed with something on every screen."""
    lines = [
        line(
            number,
            f'{{"level":"{_LEVELS[number % 7]}","message":"charging","requestId":"r-{number // 3}","payment":"p-{number}","amount":12.5}}',
            group=("/aws/lambda/orders", "/aws/lambda/payments")[number % 2],
        )
        for number in range(90)
    ]
    feed = MockFeed(
        lines, groups(failures(3), failures(fingerprint="a" * 16, type="Timeout", message="no answer"))
    )
    feed.queues.given = [
        queue_of(
            "orders",
            ready=2,
            in_flight=1,
            dead="orders-dlq",
            receives=3,
            oldest=1_700_000_095_000,
            sent=12,
            deleted=8,
        ),
        queue_of("orders-dlq", sources=("orders",), oldest=1_700_000_041_000),
        queue_of("payments-dlq", ready=0, why=("dead letters of payments",)),
    ]
    feed.queues.topics_given = [Topic("alarms", "arn:aws:sns:us-east-1:000000000000:alarms", 2, 1)]
    feed.queues.messages = {
        "orders": [message_of(n, f'{{"order": "o-{n}", "total": {n}.50}}') for n in (1, 2, 3)]
    }
    return feed


def compact(svg: str) -> str:
    """Without what is the same in each file: fonts, the window around the screen."""
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return re.sub(r"terminal-\d+-", "", svg)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", list(MODES))
async def test_it_looks_as_it_did(screen: str, size: tuple[int, int], theme: str) -> None:
    """A screen with known data is drawn as it was when somebody looked at it."""
    drawn = compact(await screenshot(filled(), size, screen=screen, theme=theme, clock=ManualClock(NOW)))
    path = FOLDER / f"{screen}-{size[0]}x{size[1]}-{theme}.svg"
    if os.environ.get("SNAPSHOTS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(drawn, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == drawn, f"{path.name} differs; see the head of this file"
