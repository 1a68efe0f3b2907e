"""The newest lines in the terminal before the screen that they will stand on is loaded.

Textual takes two thirds of a start to load. Of a store on this machine the last lines are read and drawn first, where the
logs screen will have them; its first frame has the very same ones, and only then are keys answered.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.cells import cell_len, set_cell_size

from tui.feed import Query
from tui.feed.logs import FIRST_PAGE
from tui.logs.format import line_spans
from tui.theme_names import NO_COLOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType
    from typing import TextIO

    from lambdalog.clock import Clock
    from lambdalog.tail import Line
    from tui.feed import Feed
    from tui.session import Session
    from tui.settings import Settings

# So long the loading of the screen waits for them.
PATIENCE_SECONDS: Final = 0.5
# What the logs screen has above and below its lines: the head and the bars, the foot.
ABOVE: Final = 5
BELOW: Final = 1
# As little as all terminals know: the theme's colours come with the screen.
LOOKS: Final = {"fatal": "1;31", "error": "31", "warn": "33", "time": "2", "key": "2", "platform": "2"}
ENTER: Final = "\x1b[?1049h\x1b[?25l\x1b[2J"
LEAVE: Final = "\x1b[?25h\x1b[?1049l"


class Early(NamedTuple):
    """What was read early: the newest lines, newest first, as of `read_at` (epoch ms)."""

    query: Query
    read_at: int
    lines: list[Line]

    @property
    def since(self) -> int:
        """From when on what comes has to be followed, epoch ms."""
        return min(self.read_at, self.lines[0].timestamp) if self.lines else self.read_at


class Beginning:
    """Reads it in a thread: of thousands of streams the newest lines take a second, and nobody waits for them so long."""

    def __init__(self, reading: Callable[[], Early | None]) -> None:
        self._found: Early | None = None
        self._thread = Thread(target=self._work, args=(reading,), name="early", daemon=True)
        self._thread.start()

    def _work(self, reading: Callable[[], Early | None]) -> None:
        self._found = reading()

    def wait(self, seconds: float | None = None) -> Early | None:
        """What was read, as soon as it is; None where that takes longer, or nothing is to begin with."""
        self._thread.join(seconds)
        return self._found


def first_query(groups: tuple[str, ...], session: Session) -> Query:
    """What the logs screen begins with: the groups that were named, else what the last session had chosen."""
    if groups:
        return Query(groups)
    # A file that was written by hand may hold anything.
    names = tuple(name for name in session.stream_names if isinstance(name, str))
    return Query(tuple(session.groups), names or session.streams)


def read(feed: Feed, settings: Settings, session: Session, screen: str, clock: Clock) -> Early | None:
    """The lines that the first screen will begin with; None if it is another one, filters, or is read from afar."""
    if (screen or session.screen) != "logs" or session.filter or not feed.near:
        return None
    query, now = first_query(feed.groups, session), clock.now_ms()
    limit = min(settings.history_lines, FIRST_PAGE)
    try:
        lines = feed.logs.page(query, None, None, limit, descending=True)
    except Exception:  # noqa: BLE001 - the screen reads it again, and tells what is wrong
        return None
    return Early(query, now, lines) if lines else None


@contextmanager
def drawn(
    early: Early | None,
    settings: Settings,
    session: Session,
    stream: TextIO | None,
    environ: Mapping[str, str],
) -> Iterator[None]:
    """Draw what was read while the screen is loaded and takes over; where that fails or is ended, the terminal is as it was.

    Nothing is drawn on what is no terminal or another's (a browser has a driver of its own), nor lines that are wrapped.
    """
    wrap = settings.wrap or session.wrap
    if early is None or wrap or stream is None or not _takes(stream, environ):
        yield
        return
    utc = settings.utc or session.utc
    plain = bool(environ.get("NO_COLOR")) or (session.theme or settings.theme) == NO_COLOUR
    # Until the screen minds them itself.
    before = {number: signal.signal(number, _end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        stream.write(picture(early.lines, os.get_terminal_size(stream.fileno()), utc=utc, plain=plain))
        stream.flush()
        yield
    except BaseException:
        with suppress(OSError):  # it may be the terminal that is gone
            stream.write(LEAVE)
            stream.flush()
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _takes(stream: TextIO, environ: Mapping[str, str]) -> bool:
    known = environ.get("TERM", "dumb") != "dumb" and not environ.get("TEXTUAL_DRIVER")
    return known and sys.platform != "win32" and stream.isatty()


def picture(lines: Sequence[Line], size: tuple[int, int], *, utc: bool, plain: bool) -> str:
    """What draws the newest of the lines (newest first) into a terminal of (columns, rows), on a screen of its own."""
    columns, rows = size
    shown = lines[: max(rows - ABOVE - BELOW, 0)][::-1]
    drawn = [
        f"\x1b[{ABOVE + 1 + y};1H{_row(line, columns - 1, utc=utc, plain=plain)}"
        for y, line in enumerate(shown)
    ]
    return f"{ENTER}{''.join(drawn)}\x1b[{rows};1H"


def _row(line: Line, width: int, *, utc: bool, plain: bool) -> str:
    parts = [" "]
    room = width - 1
    for text, role in line_spans(line, utc=utc):
        if room <= 0:
            break
        shown = text[: room * 4]  # a cell may take more than one character
        if cell_len(shown) > room:
            shown = set_cell_size(shown, room - 1) + "…"
        room -= cell_len(shown)
        look = None if plain else LOOKS.get(role)
        parts.append(shown if look is None else f"\x1b[{look}m{shown}\x1b[0m")
    return "".join(parts)
