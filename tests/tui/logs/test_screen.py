"""The logs screen, driven by its pilot against a mock feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest
from textual.widgets import Input

from tests.tui.feeds import MockFeed
from tests.tui.made import line
from tests.tui.pilot import dashboard, until
from tui.logs.context import Context
from tui.logs.filter_bar import FilterBar
from tui.logs.histogram import Histogram
from tui.logs.mode import Mode
from tui.logs.view import LogView
from tui.page import Page
from tui.prompt import Prompt

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tui.logs.conftest import Driven


REQUEST = "11111111-2222-3333-4444-555555555555"


async def test_history_and_new_lines_are_shown(driven: Driven) -> None:
    """Lines of the past and lines that come are all in the view, in order of time."""
    driven.feed.logs.coming.put([line(100), line(101)])
    await driven.loaded(102)
    assert [shown.message for shown in driven.view.buffer.shown][-2:] == ["line 100", "line 101"]
    assert driven.view.following
    assert "LIVE" in driven.state


async def test_pausing_shifts_and_loses_nothing(driven: Driven) -> None:
    """While paused the top line stays put through new and late lines, and resuming shows every one of them."""
    await driven.press("pageup")
    top = driven.view.top_line
    assert top is not None
    assert driven.view.following is False
    late = line(500, "late", at=line(3).timestamp + 1)
    driven.feed.logs.coming.put([late, *(line(number) for number in range(100, 300))])
    await until(driven.pilot, lambda: driven.view.unseen == 201)
    await until(driven.pilot, lambda: "201 new" in driven.state)
    assert driven.view.top_line == top
    await driven.press("end")
    assert driven.view.unseen == 0
    assert driven.view.buffer.total == 301
    assert driven.view.buffer.shown[4] == late


async def test_a_filter_narrows_as_it_is_typed(driven: Driven) -> None:
    """Typing narrows at each key and says how many match; Escape shows all lines again."""
    await driven.press("slash", *"line 4")
    await until(driven.pilot, lambda: len(driven.view.buffer.shown) == 11)
    await until(driven.pilot, lambda: driven.screen.matched == 11 and driven.screen.searched)
    await driven.press("enter")
    await until(driven.pilot, lambda: "11 of 100 match" in driven.state)
    driven.feed.logs.coming.put([line(400), line(401), line(555)])
    await until(driven.pilot, lambda: driven.view.buffer.total == 103)
    assert len(driven.view.buffer.shown) == 13
    await driven.press("escape")
    await until(driven.pilot, lambda: len(driven.view.buffer.shown) == 103)


async def test_a_filter_finds_what_is_not_loaded() -> None:
    """A search reads the whole store, counts every match, and shows older ones than were loaded."""
    feed = MockFeed([line(number) for number in range(3000)])
    app = dashboard(feed, history_lines=200)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 200)
        app.logs.filter_bar.set("line 7", Mode.TEXT)
        await until(pilot, lambda: app.logs.matched is not None and app.logs.searched)
        assert app.logs.matched == 111
        assert app.logs.view.buffer.shown[0].message == "line 7"
        app.logs.filter_bar.set("", Mode.TEXT)
        await until(pilot, lambda: app.logs.view.buffer.total == 200)
        assert app.logs.view.buffer.lines[0].message == "line 2800"


@pytest.mark.parametrize(
    ("mode", "text", "count"),
    [(Mode.REGEX, "line [12]$", 2), (Mode.PATTERN, '"line 1" -"line 12"', 10), (Mode.TEXT, "line 1", 11)],
)
async def test_each_mode_of_the_filter(driven: Driven, mode: Mode, text: str, count: int) -> None:
    """The same line of text is read as a text, a regular expression or a CloudWatch pattern."""
    driven.screen.filter_bar.set(text, mode)
    await until(driven.pilot, lambda: driven.screen.searched and driven.screen.matched == count)
    assert len(driven.view.buffer.shown) == count


async def test_a_wrong_filter_is_said_and_changes_nothing(driven: Driven) -> None:
    """A pattern that can't be parsed shows where and why, and the lines stay as they were."""
    bar = driven.screen.query_one(FilterBar)
    await driven.press("slash")
    bar.set("{ $.a ", Mode.PATTERN)
    await driven.pilot.pause()
    assert len(driven.view.buffer.shown) == 100
    assert "at " in str(bar.query_one("#filter-note").render())


async def test_the_mode_is_switched_by_a_key(driven: Driven) -> None:
    """^R reads what is typed in the next way."""
    await driven.press("slash", *"line .1$")
    await until(driven.pilot, lambda: len(driven.view.buffer.shown) == 0)
    await driven.press("ctrl+r")
    await until(driven.pilot, lambda: len(driven.view.buffer.shown) == 9)


async def test_a_line_unfolds_in_its_place_and_its_value_becomes_a_filter() -> None:
    """Enter lays a JSON line out; `f` on a value shows only lines with it, `F` only those without."""
    said = [
        orjson.dumps({"level": "INFO", "message": "m", "order": {"id": n % 3}}).decode() for n in range(30)
    ]
    feed = MockFeed([line(number, text) for number, text in enumerate(said)])
    app = dashboard(feed)
    async with app.run_test(size=(100, 40)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 30)
        view = app.logs.view
        view.sync()
        await pilot.press("up", "enter", "down", "down", "down", "down")
        assert view.field is not None
        assert view.field.selector == "$.order.id"
        await pilot.press("f")
        await until(pilot, lambda: len(view.buffer.shown) == 10 and app.logs.searched)
        assert app.logs.query_.text == "{ $.order.id = 2 }"
        await pilot.press("escape", "up", "up")
        await until(pilot, lambda: len(view.buffer.shown) == 30)


async def test_errors_and_warnings_are_jumped_between() -> None:
    """`e` and `E` stop at errors, `w` at warnings too; where there is none, the cursor stays."""
    texts = {10: "ERROR a", 20: "WARN b", 30: "ERROR c"}
    feed = MockFeed([line(number, texts.get(number)) for number in range(60)])
    app = dashboard(feed)
    async with app.run_test(size=(100, 20)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 60)
        view = app.logs.view
        view.sync()
        seen = []
        for key in ("E", "E", "E", "w", "e"):
            await pilot.press(key)
            assert view.cursor_line is not None
            seen.append(view.cursor_line.message)
        assert seen == ["ERROR c", "ERROR a", "ERROR a", "WARN b", "ERROR c"]


async def test_lines_of_one_request(driven: Driven) -> None:
    """`o` goes through a request's lines, `r` shows only them."""
    texts = [f"START RequestId: {REQUEST} Version: 1", "said", f"END RequestId: {REQUEST}"]
    driven.feed.logs.coming.put([line(200 + number, text) for number, text in enumerate(texts)])
    await driven.loaded(103)
    await driven.press("up", "O")
    assert driven.view.cursor_line == line(200, texts[0])
    await driven.press("o")
    assert driven.view.cursor_line == line(202, texts[2])
    await driven.press("r")
    await until(driven.pilot, lambda: len(driven.view.buffer.shown) == 2)


async def test_bookmarks_and_notes_are_kept(driven: Driven) -> None:
    """A mark and a note stay with their line, and `U` goes back to it."""
    await driven.press("up", "up", "m", "up", "up", "up", "M")
    await until(driven.pilot, lambda: isinstance(driven.app.screen, Prompt))
    await driven.press(*"odd", "enter")
    await until(driven.pilot, lambda: driven.app.screen is driven.screen)
    await driven.press("end", "U")
    assert driven.view.cursor_line == line(98)
    await driven.press("U")
    assert driven.view.cursor_line == line(95)
    assert list(driven.view.notes.values()) == ["odd"]


async def test_a_time_is_gone_to_and_the_lines_around_it_are_read() -> None:
    """A jump far back shows that time; scrolling on reads newer lines; End follows again, with nothing missing."""
    feed = MockFeed([line(number) for number in range(9000)])
    app = dashboard(feed, history_lines=200)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 200)
        screen = app.logs
        screen._go_to_time(line(3000).timestamp)
        await until(pilot, lambda: screen.view.cursor_line == line(3000))
        assert screen.attached is False
        feed.logs.coming.put([line(9000)])
        await until(pilot, lambda: screen.view.unseen == 1)
        for _ in range(60):
            screen.view.scroll_rows(50)
            await pilot.pause()
        await until(pilot, lambda: screen.view.buffer.shown[-1].timestamp > line(5000).timestamp)
        shown = screen.view.buffer.shown
        assert [one.timestamp for one in shown] == sorted({one.timestamp for one in shown})
        assert len(shown) == (shown[-1].timestamp - shown[0].timestamp) // 1000 + 1
        await pilot.press("end")
        await until(pilot, lambda: screen.view.following and screen.view.buffer.total == 200)
        assert screen.view.buffer.shown[-1] == line(9000)


async def test_scrolling_up_reads_older_lines() -> None:
    """The view comes to the oldest line there is, page by page, and its top line never moves meanwhile."""
    feed = MockFeed([line(number) for number in range(2600)])
    app = dashboard(feed, history_lines=100)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 100)
        view = app.logs.view
        view.sync()
        for _ in range(200):
            view.scroll_rows(-100)
            await pilot.pause()
            if view.top_line == line(0):
                break
        await until(pilot, lambda: view.top_line == line(0))
        assert view.buffer.total == 2600


async def test_a_range_is_brushed_and_taken_away(driven: Driven) -> None:
    """A range chosen in the histogram shows only its lines; Escape shows all again and follows."""
    start = line(40).timestamp
    driven.screen.query_one(Histogram).post_message(Histogram.Chosen(start, start + 10_000))
    await until(driven.pilot, lambda: len(driven.view.buffer.shown) == 10)
    assert driven.view.following is False
    await driven.press("escape")
    await until(driven.pilot, lambda: driven.view.following and len(driven.view.buffer.shown) == 100)


async def test_the_mouse_brushes_the_histogram(driven: Driven) -> None:
    """Pressing on one bar and letting go on another chooses what lies between."""
    bars = driven.screen.query_one(Histogram)
    await driven.pilot.mouse_down(bars, offset=(10, 1))
    await driven.pilot.hover(bars, offset=(14, 1))
    await driven.pilot.mouse_up(bars, offset=(14, 1))
    await until(driven.pilot, lambda: driven.screen.query_.start is not None)
    query = driven.screen.query_
    assert query.start is not None
    assert query.end == query.start + 5 * bars.step


async def test_context_shows_the_neighbours(driven: Driven) -> None:
    """`c` opens the lines around one, `+` twice as many."""
    await driven.press("up", "c")
    await until(driven.pilot, lambda: isinstance(driven.app.screen, Context))
    assert driven.app.screen.query_one(LogView).buffer.total == 21
    await driven.press("plus")
    await until(
        driven.pilot,
        lambda: (
            isinstance(driven.app.screen, Context) and driven.app.screen.query_one(LogView).buffer.total == 41
        ),
    )


async def test_an_export_that_fails_is_told(driven: Driven, tmp_path: Path) -> None:
    """A file that can't be written is named with why; it is no trouble of the source's."""
    said: list[str] = []
    driven.screen.notify = lambda message, **_: said.append(message)  # type: ignore[method-assign]
    driven.screen.reader.export(driven.screen.query_, tmp_path / "none" / "lines.txt", str)
    await until(driven.pilot, lambda: bool(said))
    assert said == [f"the export failed: {tmp_path}/none/lines.txt: No such file or directory"]
    assert "✗" not in driven.state


async def test_export_writes_what_matches(driven: Driven, tmp_path: Path) -> None:
    """Every matching line is in the file, oldest first, as JSON."""
    driven.screen.filter_bar.set("line 5", Mode.TEXT)
    await driven.press("x")
    await until(driven.pilot, lambda: isinstance(driven.app.screen, Prompt))
    driven.app.screen.query_one(Input).value = str(tmp_path / "out.jsonl")
    await driven.press("enter")
    await until(driven.pilot, (tmp_path / "out.jsonl").exists)
    await until(driven.pilot, lambda: (tmp_path / "out.jsonl").read_text().count("\n") == 11)
    first = orjson.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])
    assert first["message"] == "line 5"


async def test_copy_goes_to_a_file_too(driven: Driven) -> None:
    """`y` copies the line to the clipboard, and to a file for terminals that have none."""
    await driven.press("up", "y")
    assert driven.app.clipboard == "line 99"
    assert (driven.app.state / "copied.txt").read_text() == "line 99"


async def test_the_whole_line_opens(driven: Driven) -> None:
    """`v` shows all of a line; Escape closes that again."""
    await driven.press("up", "v")
    await until(driven.pilot, lambda: isinstance(driven.app.screen, Page))
    await driven.press("escape")
    await until(driven.pilot, lambda: not isinstance(driven.app.screen, Page))


async def test_wrapping_shows_all_of_a_long_line(driven: Driven) -> None:
    """`z` breaks lines at the width, and nothing of them is cut."""
    driven.feed.logs.coming.put([line(300, "long " * 60 + "END-OF-IT")])
    await driven.loaded(101)
    assert not any("END-OF-IT" in strip.text for strip in driven.view.render_lines(driven.view.size.region))
    await driven.press("z")
    assert any("END-OF-IT" in strip.text for strip in driven.view.render_lines(driven.view.size.region))


async def test_trouble_is_shown_and_overcome(feed: MockFeed) -> None:
    """A feed that fails is named in the head, and read again until it answers."""
    feed.logs.fail_with = OSError("no route to the store")
    app = dashboard(feed)
    async with app.run_test(size=(140, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn)
        app.logs.reader.retry_seconds = 0.02
        await until(pilot, lambda: "no route" in app.logs.said)
        feed.logs.fail_with = None
        await until(pilot, lambda: app.logs.view.buffer.total == 100)
        await until(pilot, lambda: "no route" not in app.logs.said)


async def test_trouble_on_the_way_counts_nothing_twice(driven: Driven) -> None:
    """Following that fails and recovers goes on: lines, matches, total and bars have each line once, the forgotten included."""
    screen, logs = driven.screen, driven.feed.logs
    screen.reader.retry_seconds = 0.02
    screen.view.buffer.limit = 50  # most of what comes is forgotten again
    await driven.press("slash", *"line")
    await until(driven.pilot, lambda: screen.searched and screen.total == 100)
    for first in range(100, 160, 20):
        logs.fail_with = OSError("no route to the store")
        await until(driven.pilot, lambda: "no route" in driven.state)
        logs.coming.put([line(number) for number in range(first, first + 20)])
        logs.fail_with = None
        await until(driven.pilot, lambda: "no route" not in driven.state)
    await until(driven.pilot, lambda: screen.total is not None and screen.total >= 160)
    assert (screen.matched, screen.total) == (160, 160)
    assert screen.view.buffer.trimmed
    await driven.press("escape")
    await until(driven.pilot, lambda: "160 lines" in driven.state)


async def test_why_no_line_is_shown_is_said(driven: Driven) -> None:
    """Where nothing matches or nothing is there, it stands there with what to do; the first line takes its place."""

    def said() -> str:
        return "\n".join(strip.text for strip in driven.view.render_lines(driven.view.size.region))

    assert "No line" not in said()
    await driven.press("slash", *"nowhere")
    await until(driven.pilot, lambda: "Nothing matches. Esc takes the filter away." in said())
    await driven.press("escape", "escape")
    await until(driven.pilot, lambda: "Nothing matches" not in said() and "line 99" in said())
    driven.feed.logs.past.clear()
    driven.screen._restart()
    await until(driven.pilot, lambda: "No lines yet." in said())
    driven.feed.logs.coming.put([line(100)])
    await until(driven.pilot, lambda: "line 100" in said() and "No lines" not in said())


async def test_what_the_source_notes_is_shown(driven: Driven) -> None:
    """Throttled, sampled, late: it stands in the head."""
    driven.feed.logs.notes.put(["throttled: reading more slowly"])
    driven.feed.logs.coming.put([line(100)])
    await until(driven.pilot, lambda: "throttled" in driven.state)


async def test_the_session_is_taken_up(feed: MockFeed, tmp_path: Path) -> None:
    """Filter, wrapping and bookmarks of the last time are there at the next start."""
    app = dashboard(feed, state=tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 100)
        app.logs.view.sync()
        await pilot.press("up", "m", "z")
        app.logs.filter_bar.set("line 9", Mode.TEXT)
        await pilot.pause()
        await pilot.press("q")
    again = dashboard(feed, state=tmp_path)
    async with again.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: again.logs.drawn and len(again.logs.view.buffer.shown) == 11)
        assert again.logs.view.wrap
        assert list(again.logs.view.marks.lines) == [line(99)]


async def test_many_lines_are_filtered_beside_the_keys(
    driven: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where many lines are loaded a filter finds the same ones, the newest and the last typed filter included."""
    monkeypatch.setattr("tui.logs.reading.FILTERED_AT_ONCE", 10)
    await driven.press("slash", *"line 4")
    driven.feed.logs.coming.put([line(400), line(555)])
    await until(driven.pilot, lambda: len(driven.view.buffer.shown) == 12)
    assert {one.message[:6] for one in driven.view.buffer.shown} == {"line 4"}
    await driven.press("backspace", "5")
    await until(driven.pilot, lambda: len(driven.view.buffer.shown) == 12)
    await until(driven.pilot, lambda: driven.view.buffer.shown[-1].message == "line 555")
    await driven.press("escape")
    await until(driven.pilot, lambda: len(driven.view.buffer.shown) == 102)
