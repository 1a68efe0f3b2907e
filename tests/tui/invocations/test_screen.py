"""The invocations screen, driven by its pilot against a mock feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.widgets import Static

from tests.tui.feeds import MockFeed
from tests.tui.made import line, ran
from tests.tui.pilot import dashboard, shown, until
from tui.feed.invocations import Child, Refusal
from tui.invocations.screen import InvocationsScreen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

    from tui.app import Dashboard

T0 = 1_700_000_000_000


class Driven:
    """An app on its invocations screen."""

    def __init__(self, app: Dashboard, pilot: Pilot[None], feed: MockFeed) -> None:
        self.app, self.pilot, self.feed = app, pilot, feed

    @property
    def screen(self) -> InvocationsScreen:
        """The invocations screen."""
        screen = self.app.get_screen_stack("invocations")[0]
        assert isinstance(screen, InvocationsScreen)
        return screen

    @property
    def shown(self) -> list[str]:
        """The request ids of the rows, from the first on."""
        return [str(key[1]) for key in self.screen.grid.keys]  # type: ignore[index]

    @property
    def told(self) -> str:
        """What the pane says."""
        return str(self.screen.query_one("#told", Static).render())

    async def until_shown(self, *requests: str) -> None:
        """Wait for these rows."""
        await until(self.pilot, lambda: self.shown == list(requests))


@pytest.fixture
async def driven() -> AsyncIterator[Driven]:
    """Five invocations of two functions: fine, cold, failed, slow, and one that runs."""
    feed = MockFeed(
        [line(1, "START RequestId: r-failed Version: 3"), line(2, "r-failed went wrong"), line(3)]
    )
    feed.invocations.lines = [
        *ran("r-fine", T0),
        *ran("r-cold", T0 + 1000, init=250.0),
        *ran("r-failed", T0 + 2000, error="Declined"),
        *ran("r-slow", T0 + 3000, function="orders", ms=900.0, memory=126),
        *ran("r-runs", T0 + 99_000, ended=False),
    ]
    app = dashboard(feed)
    async with shown(app, "2", InvocationsScreen, (140, 40)) as (pilot, _):
        found = Driven(app, pilot, feed)
        await found.until_shown("r-runs", "r-slow", "r-failed", "r-cold", "r-fine")
        await until(pilot, lambda: found.screen.settled)
        yield found


async def test_a_row_per_request(driven: Driven) -> None:
    """Status, cold start, duration, memory and error stand in the row; what runs has its time so far."""
    paint = driven.screen._paint
    rows = {
        request: {name: "".join(part.text for part in cell) for name, cell in paint(("/aws/lambda/" + function, request)).items()}
        for request, function in (("r-failed", "payments"), ("r-cold", "payments"), ("r-slow", "orders"), ("r-runs", "payments"))
    }  # fmt: skip
    assert (rows["r-failed"]["status"], rows["r-failed"]["error"]) == ("✗ error", "Declined")
    assert rows["r-cold"]["cold"] == "250 ms"
    assert (rows["r-slow"]["duration"], rows["r-slow"]["memory"][-8:]) == ("900 ms", " 126/128")
    assert (rows["r-runs"]["status"], rows["r-runs"]["duration"]) == ("▶ running", "1.00 s")


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        ("s", ["r-slow", "r-failed", "r-cold", "r-fine"]),
        ("f", ["r-failed"]),
        ("c", ["r-cold"]),
        ("t", []),
    ],
)
async def test_quick_views(driven: Driven, key: str, rows: list[str]) -> None:
    """A key shows the slowest, the failed, the cold, the throttled; the same key, or `a`, or Escape, shows all again."""
    await driven.pilot.press(key)
    await driven.until_shown(*rows)
    await driven.pilot.press("a")
    await until(driven.pilot, lambda: len(driven.shown) == 5)
    await driven.pilot.press(key)
    await driven.until_shown(*rows)
    await driven.pilot.press("escape")
    await until(driven.pilot, lambda: len(driven.shown) == 5)


async def test_the_views_are_counted(driven: Driven) -> None:
    """How many each view has is told, and kept up as more come."""
    views = str(driven.screen.query_one("#views", Static).render())
    assert "failed 1" in views
    driven.feed.invocations.coming.put(ran("r-new", T0 + 99_500, error="Broken"))
    await until(driven.pilot, lambda: "failed 2" in str(driven.screen.query_one("#views", Static).render()))


async def test_a_filter(driven: Driven) -> None:
    """What is typed narrows the rows at each key; Escape takes it away; a wrong expression is named and changes nothing."""
    await driven.pilot.press("slash", *"Decl")
    await driven.until_shown("r-failed")
    assert "1 of" in driven.screen.said
    await driven.pilot.press("escape")
    await until(driven.pilot, lambda: len(driven.shown) == 5)
    await driven.pilot.press("ctrl+r", *"(slow|cold")
    note = driven.screen.filter_bar.query_one("#filter-note", Static)
    await until(driven.pilot, lambda: "at " in str(note.render()))
    await driven.pilot.press(")")
    await driven.until_shown("r-slow", "r-cold")


async def test_only_this_rows_function(driven: Driven) -> None:
    """`n` shows the invocations of the function under the cursor."""
    await driven.pilot.press("j", "n")
    await driven.until_shown("r-slow")


async def test_new_ones_are_seen_while_the_cursor_is_on_the_first_row(driven: Driven) -> None:
    """On the first row the screen is live; below it, the row under the cursor stays, whatever comes; `g` is live again."""
    assert "LIVE" in driven.screen.said
    driven.feed.invocations.coming.put(ran("r-1", T0 + 99_100))
    await until(driven.pilot, lambda: driven.shown[0] == "r-1")
    assert driven.screen.grid.selected == ("/aws/lambda/payments", "r-1")
    await driven.pilot.press("j", "j")
    here = driven.screen.grid.selected
    row = driven.screen.grid.cursor - driven.screen.grid._top
    for number in range(30):
        driven.feed.invocations.coming.put(ran(f"r-x{number}", T0 + 99_200 + number))
    await until(driven.pilot, lambda: len(driven.shown) == 36)
    assert driven.screen.grid.selected == here
    assert driven.screen.grid.cursor - driven.screen.grid._top == row
    assert "HELD" in driven.screen.said
    await driven.pilot.press("g")
    assert driven.screen.grid.selected == ("/aws/lambda/payments", "r-x29")


async def test_the_waterfall(driven: Driven) -> None:
    """The pane has init and handler with their times, what came of it, and the lines."""
    driven.feed.invocations.children = [
        Child("dead letter", "payments-dlq", T0 + 1100, None, "r-cold", "RetriesExhausted", failed=True)
    ]
    await driven.pilot.press("j", "j", "j")
    await until(driven.pilot, lambda: "payments-dlq RetriesExhausted" in driven.told)
    rows = driven.told.splitlines()
    assert rows[0].startswith("init")
    assert "250 ms cold start" in rows[0]
    assert rows[1].startswith("handler")
    assert "12 ms ✓ ok" in rows[1]
    assert rows[2].startswith("→ dead letter")
    assert any("START RequestId: r-cold" in row for row in rows)


async def test_retries_are_one_row(driven: Driven) -> None:
    """Attempts of one event are one invocation, with the waits between them in the waterfall."""
    again = [*ran("r-again", T0 + 99_100, error="Declined"), *ran("r-again", T0 + 99_400)]
    driven.feed.invocations.coming.put(again)
    await until(driven.pilot, lambda: driven.shown[0] == "r-again" and "attempt 2" in driven.told)
    labels = [row.split("  ")[0] for row in driven.told.splitlines()[:3]]
    assert labels == ["attempt 1", "wait", "attempt 2"]
    assert "288 ms" in driven.told.splitlines()[1]


async def test_what_was_throttled(driven: Driven) -> None:
    """A refused request has a row though no line tells of it, and `t` shows just those."""
    driven.feed.invocations.refusals.append(Refusal(T0 + 99_900, "/aws/lambda/payments", "r-refused", "x"))
    await driven.pilot.press("t")
    await driven.until_shown("r-refused")
    cell = driven.screen._paint(driven.screen.grid.keys[0])["status"]
    assert cell[0].text == "⊘ throttled"


async def test_from_an_invocation_to_its_lines_and_back(driven: Driven) -> None:
    """Enter shows only the lines of the request, on the logs screen."""
    await driven.pilot.press("j", "j", "enter")
    await until(driven.pilot, lambda: driven.app.current_mode == "logs")
    await until(driven.pilot, lambda: len(driven.app.logs.view.buffer.shown) == 2)
    assert driven.app.logs.query_.text == "r-failed"


async def test_a_request_id_is_copied(driven: Driven) -> None:
    """`y` puts the id under the cursor into the clipboard and a file."""
    await driven.pilot.press("j", "y")
    await until(driven.pilot, (driven.app.state / "copied.txt").exists)
    assert (driven.app.state / "copied.txt").read_text() == "r-slow"


async def test_what_runs_grows_and_ends(driven: Driven) -> None:
    """The bar of a running invocation follows the clock; once its REPORT is there, it is done."""
    driven.app.clock.advance(2.0)  # type: ignore[attr-defined]
    driven.screen.tick()
    assert "3.00 s ▶ running" in driven.told
    driven.feed.invocations.coming.put(ran("r-runs", T0 + 99_000, ms=3000.0))
    await until(driven.pilot, lambda: "3.00 s ✓ ok" in driven.told)


async def test_trouble_is_shown_and_overcome(driven: Driven) -> None:
    """A source that can't be read is named, and read again until it can."""
    driven.feed.invocations.fail_with = OSError("no route to the logs")
    driven.screen.reader.retry_seconds = 0.01
    driven.screen.reader.follow(())
    await until(driven.pilot, lambda: "no route" in driven.screen.said)
    driven.feed.invocations.fail_with = None
    await until(driven.pilot, lambda: "no route" not in driven.screen.said)


async def test_moving_by_mouse(driven: Driven) -> None:
    """A click puts the cursor on a row, the wheel moves it, a click on a head orders by it."""
    await driven.pilot.click("#invocations", offset=(5, 3))
    await until(driven.pilot, lambda: driven.screen.grid.cursor == 2)
    duration = sum(width + 2 for column, width in driven.screen.grid.laid_out()[:5]) + 3
    await driven.pilot.click("#invocations", offset=(duration, 0))
    await until(driven.pilot, lambda: driven.shown[0] == "r-slow")


async def test_pages_and_ends(driven: Driven) -> None:
    """Page keys and End reach the oldest row, Home the newest."""
    await driven.pilot.press("end")
    assert driven.screen.grid.selected == ("/aws/lambda/payments", "r-fine")
    await driven.pilot.press("pageup")
    assert driven.screen.grid.cursor == 0
    await driven.pilot.press("pagedown", "home")
    assert driven.screen.grid.following
    await driven.pilot.press("tab")
    assert driven.screen.about.has_focus


async def test_memory_is_bounded() -> None:
    """Only so many invocations are held, the newest; the head says so."""
    feed = MockFeed()
    feed.invocations.lines = [one for number in range(300) for one in ran(f"r-{number}", T0 + number * 100)]
    app = dashboard(feed, kept_invocations=100)
    async with shown(app, "2", InvocationsScreen, (120, 30)) as (pilot, screen):
        await until(pilot, lambda: len(screen.grid.keys) == 100 and screen.grid.keys[0][1] == "r-299")  # type: ignore[index]
        assert "100 newest invocations" in screen.said
        # The past was not read beyond what is held.
        assert len(feed.invocations.asked) <= 2


async def test_hostile_names_do_no_harm() -> None:
    """A name of a megabyte with control, bidi and wide characters is one row of the screen's width."""
    bad = "\x1b[2J\u202e[red]界" * 50_000
    feed = MockFeed()
    feed.invocations.lines = ran("r-1", function=bad, error="Bad", version="[b]" + "\x07" * 90)
    app = dashboard(feed)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "␛[2J" in app.export_screenshot().replace("&#160;", " "))
        drawn = app.export_screenshot()
        for character in ("\x1b", "\x07", "\u202e"):
            assert character not in drawn
