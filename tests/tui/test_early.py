"""The newest lines in the terminal before their screen is loaded."""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import sys
import threading
from dataclasses import replace
from fcntl import ioctl
from functools import partial
from struct import pack
from termios import TIOCSWINSZ
from typing import TYPE_CHECKING, cast

import pytest
from rich.cells import cell_len

from lambdalog.clock import ManualClock
from lambdalog.cloud import connect
from lambdalog.errors import LambdalogError
from tests.bench.terminal import Terminal
from tests.test_imports import loaded
from tests.tui.feeds import MockFeed
from tests.tui.made import line
from tests.tui.pilot import NOW, dashboard, until
from tui import early
from tui.feed import Query
from tui.session import Session
from tui.settings import Settings
from tui.theme_names import DARK, NO_COLOUR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

CLOCK = ManualClock(NOW)
TERM = {"TERM": "xterm-256color"}


def read(feed: MockFeed, session: Session | None = None, screen: str = "") -> early.Early | None:
    """What is read early for a first screen."""
    return early.read(feed, Settings(), session or Session(), screen, CLOCK)


def rows(drawn: str) -> dict[int, str]:
    """What a picture writes into each row."""
    found = re.findall(r"\x1b\[(\d+);1H([^\n]*?)(?=\x1b\[\d+;1H|$)", drawn)
    return {int(row): re.sub(r"\x1b\[[\d;]*m", "", text) for row, text in found if text}


@pytest.fixture
def terminal() -> Iterator[tuple[TextIO, int]]:
    """A terminal of 60 columns by 12 rows: to write to, and the descriptor of who looks at it."""
    ours, there = pty.openpty()
    ioctl(there, TIOCSWINSZ, pack("HHHH", 12, 60, 0, 0))
    os.set_blocking(ours, False)
    with os.fdopen(there, "w", encoding="utf-8") as stream:
        yield stream, ours
    os.close(ours)


def seen(descriptor: int) -> str:
    """What was written to a terminal."""
    try:
        return os.read(descriptor, 1 << 16).decode()
    except BlockingIOError:
        return ""


async def test_lines_stand_where_the_screen_has_them() -> None:
    """Each of the lines is in the row that it is in on the screen that comes, with the same text to the same column."""
    feed = MockFeed([line(number, f"{number} " + "wide 語 " * (number % 20)) for number in range(100)])
    found = read(feed)
    assert found is not None
    shown = rows(early.picture(found.lines, (100, 30), utc=False, plain=False))
    app = dashboard(feed)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 100)
        await pilot.pause()
        view = app.logs.view
        drawn = view.render_lines(view.size.region)
        texts = {view.region.y + 1 + y: strip.text[:-1].rstrip() for y, strip in enumerate(drawn)}
    assert {row: text.rstrip() for row, text in shown.items()} == texts


async def test_fewer_lines_than_rows_begin_at_the_top() -> None:
    """Where lines leave room, it is below them, as on the screen."""
    found = read(MockFeed([line(number) for number in range(3)]))
    assert found is not None
    shown = rows(early.picture(found.lines, (100, 30), utc=False, plain=False))
    assert list(shown) == [early.ABOVE + 1, early.ABOVE + 2, early.ABOVE + 3]


@pytest.mark.parametrize(
    "message", ["\x1b[31mred\x1b]0;title\x07", "\r\n\x9b2J", "a\u202eb\u200b", "語" * 4000, "{" * 3000]
)
def test_what_a_line_says_never_reaches_the_terminal_raw(message: str) -> None:
    """Without colours there is no escape sequence in a row, and no row is wider than the screen."""
    drawn = early.picture([line(1, message)], (80, 24), utc=True, plain=True)
    (text,) = rows(drawn).values()
    assert text.replace("…", "").isprintable()
    assert cell_len(text) < 80
    assert drawn.count("\x1b") == early.ENTER.count("\x1b") + 2


def test_levels_have_their_colours() -> None:
    """An error is red, unless nothing is to be coloured."""
    bad = [line(1, "[ERROR] bad")]
    assert "\x1b[31mERROR" in early.picture(bad, (80, 24), utc=True, plain=False)
    assert "\x1b[31m" not in early.picture(bad, (80, 24), utc=True, plain=True)


def test_it_is_read_for_what_the_screen_begins_with() -> None:
    """Groups that were named, else those of the last session, with its streams: the newest lines first."""
    feed = MockFeed([line(number) for number in range(300)])
    session = Session(groups=["of-the-session"], streams="s", stream_names=["one", "two"])
    assert early.first_query((), session) == Query(("of-the-session",), ("one", "two"))
    assert early.first_query((), replace(session, stream_names=[cast("str", 1)])) == Query(
        ("of-the-session",), "s"
    )
    assert early.first_query(("named",), session) == Query(("named",))
    found = read(feed)
    assert found is not None
    assert [one.message for one in found.lines[:2]] == [line(299).message, line(298).message]
    assert len(found.lines) == 200
    assert found.since == CLOCK.now_ms() < line(299).timestamp
    assert early.Early(Query(), line(1).timestamp + 5, [line(1)]).since == line(1).timestamp


def test_nothing_is_read_where_it_would_not_be_what_is_shown() -> None:
    """Another screen, a filter, a source that is far away, that fails or has nothing: then the screen begins by itself."""
    feed = MockFeed([line(1)])
    assert read(feed) is not None
    assert read(feed, screen="failures") is None
    assert read(feed, Session(screen="queues")) is None
    assert read(feed, Session(filter="x")) is None
    assert read(MockFeed()) is None
    feed.near = False
    assert read(feed) is None
    feed.near = True
    feed.logs.fail_with = LambdalogError("gone")
    assert read(feed) is None


def test_it_is_drawn_on_terminals_alone(terminal: tuple[TextIO, int]) -> None:
    """Not into a file, nor where a browser's driver draws, nor where lines are wrapped; else at once."""
    stream, descriptor = terminal
    found = read(MockFeed([line(1, "here it is")]))
    file = io.StringIO()
    with early.drawn(found, Settings(), Session(), file, TERM):
        assert file.getvalue() == ""
    for settings, environ in (
        (Settings(wrap=True), TERM),
        (Settings(), TERM | {"TEXTUAL_DRIVER": "a:B"}),
        (Settings(), {"TERM": "dumb"}),
    ):
        with early.drawn(found, settings, Session(), stream, environ):
            assert seen(descriptor) == ""
    with early.drawn(None, Settings(), Session(), stream, TERM):
        assert seen(descriptor) == ""
    with early.drawn(found, Settings(), Session(), stream, TERM):
        assert "here it is" in seen(descriptor)
    assert seen(descriptor) == ""


def test_without_colours_nothing_is_coloured(terminal: tuple[TextIO, int]) -> None:
    """Neither where NO_COLOR says so, nor in the theme without colours, be it the settings' or the last session's."""
    stream, descriptor = terminal
    found = read(MockFeed([line(1, "[ERROR] bad")]))
    coloured = []
    for settings, session, environ in (
        (Settings(), Session(), TERM),
        (Settings(), Session(), TERM | {"NO_COLOR": "1"}),
        (Settings(theme=NO_COLOUR), Session(), TERM),
        (Settings(), Session(theme=NO_COLOUR), TERM),
        (Settings(theme=NO_COLOUR), Session(theme=DARK), TERM),
    ):
        with early.drawn(found, settings, session, stream, environ):
            coloured.append("\x1b[31m" in seen(descriptor))
    assert coloured == [True, False, False, False, True]


def test_a_start_that_fails_leaves_the_terminal_as_it_was(terminal: tuple[TextIO, int]) -> None:
    """Interrupted while the screen is loaded, the terminal has its own screen and its cursor again."""
    stream, descriptor = terminal
    found = read(MockFeed([line(1)]))

    def start() -> None:
        with early.drawn(found, Settings(), Session(), stream, TERM):
            assert seen(descriptor).startswith(early.ENTER)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start()
    assert seen(descriptor) == early.LEAVE


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_start_that_is_told_to_end_leaves_the_terminal_as_it_was(
    number: signal.Signals, terminal: tuple[TextIO, int]
) -> None:
    """So it does when it is told to end, with the status of that; afterwards signals do what they did."""
    stream, descriptor = terminal
    found = read(MockFeed([line(1)]))
    before = signal.getsignal(number)

    def start() -> None:
        with early.drawn(found, Settings(), Session(), stream, TERM):
            assert seen(descriptor).startswith(early.ENTER)
            signal.raise_signal(number)

    with pytest.raises(SystemExit) as ended:
        start()
    assert ended.value.code == 128 + number
    assert seen(descriptor) == early.LEAVE
    assert signal.getsignal(number) is before


async def test_the_screen_goes_on_from_it() -> None:
    """Its lines are there with the first frame, each once; what was written meanwhile comes, be it older than the newest."""
    feed = MockFeed([line(number) for number in range(50)])
    app = dashboard(feed)
    app.early = early.Beginning(partial(read, feed))
    app.early.wait()
    late = line(20, "late", at=line(20).timestamp + 1)
    feed.logs.past.append(late)
    feed.logs.asked.clear()
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.current_mode == "logs" and app.logs.drawn)
        assert app.logs.view.buffer.total >= 50
        await until(pilot, lambda: app.logs.view.buffer.total == 51)
        assert late in app.logs.view.buffer.lines
        feed.logs.coming.put([line(60)])
        await until(pilot, lambda: app.logs.view.buffer.total == 52)
        assert app.early is None


async def test_what_was_read_of_something_else_is_let_be() -> None:
    """If the session was changed by another dashboard meanwhile, the screen reads what it begins with."""
    feed = MockFeed([line(number) for number in range(50)])
    app = dashboard(feed)
    other = early.Early(Query(("another",)), 0, [line(999, "of another group")])
    app.early = early.Beginning(lambda: other)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 50)
        assert line(999, "of another group") not in app.logs.view.buffer.lines


async def test_what_is_still_being_read_comes_when_it_was() -> None:
    """Of a store that takes long, nothing is waited for: the screen is there without lines, and gets them from that reading."""
    feed = MockFeed([line(number) for number in range(50)])
    app = dashboard(feed)
    go_on = threading.Event()

    def slow() -> early.Early | None:
        go_on.wait(20)
        return read(feed)

    app.early = early.Beginning(slow)
    assert app.early.wait(0) is None
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.current_mode == "logs" and app.logs.drawn)
        await pilot.pause(0.1)
        assert app.logs.view.buffer.total == 0
        feed.logs.asked.clear()
        go_on.set()
        await until(pilot, lambda: app.logs.view.buffer.total == 50)


def test_it_needs_no_textual() -> None:
    """What is loaded before the picture is drawn doesn't load what it is drawn ahead of."""
    modules = loaded("import lambdalog.cli.dashboard\nfrom tui import early, feed, session, settings")
    assert not {"textual", "rich.console", "asyncio"} & modules


def test_the_command_begins_with_it(tmp_path: Path) -> None:
    """In a terminal the newest line stands there before the head does; left, the terminal has its own screen again."""
    with connect(f"disk:{tmp_path}") as cloud:
        cloud.logs.create_log_group(logGroupName="orders")
        cloud.logs.create_log_stream(logGroupName="orders", logStreamName="s")
        now = cloud.clock.now_ms()
        cloud.logs.put_log_events(
            logGroupName="orders",
            logStreamName="s",
            logEvents=[{"timestamp": now, "message": "here it is"}],
        )
    command = [sys.executable, "-m", "lambdalog", "dashboard", "--store", f"disk:{tmp_path}"]
    with Terminal(command) as terminal:
        terminal.wait("LIVE")
        drawn = terminal.text
        assert drawn.index("here it is") < drawn.index("Logs") < drawn.rindex("here it is")
        terminal.press("q")
        assert terminal.ended() == 0
        assert terminal._drawn.count(early.LEAVE[-8:].encode()) == 1
