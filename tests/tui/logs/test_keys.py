"""Each key and each way of the mouse on the logs screen does what its action says."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

from textual.events import Key, MouseScrollDown, MouseScrollUp

from tests.tui.made import line
from tests.tui.pilot import until
from tui.logs.format import clock_text
from tui.logs.histogram import STEPS_MS
from tui.logs.mode import Mode
from tui.prompt import Prompt

if TYPE_CHECKING:
    import pytest

    from lambdalog.tail import Line
    from tests.tui.logs.conftest import Driven


def shown_time(driven: Driven) -> str:
    """The time that the first row in view begins with."""
    return driven.view._drawn[0][1].strip.text[1:13]


async def at_rest(driven: Driven) -> None:
    """Wait until whatever was asked for has been answered; what is followed goes on."""

    def busy() -> bool:
        return any(
            worker.group not in {"follow", "load"} and not worker.is_finished for worker in driven.app.workers
        )

    await driven.pilot.pause()
    await until(driven.pilot, lambda: not busy())
    await driven.pilot.pause()


async def test_p_holds_and_lets_go(driven: Driven) -> None:
    """`p` pauses where the view is; again, it follows."""
    await driven.press("p")
    assert not driven.view.following
    await driven.press("p")
    assert driven.view.following


async def test_what_is_typed_ahead_is_the_filter(driven: Driven) -> None:
    """Keys that are there before the filter line is drawn are typed into it, and not taken for actions."""
    for character in "/refused":
        driven.app.post_message(Key("slash" if character == "/" else character, character))
    await until(driven.pilot, lambda: driven.screen.query_.text == "refused")
    assert driven.app.screen is driven.screen


async def test_the_first_line_and_pages(driven: Driven) -> None:
    """Home shows the oldest line, Page down moves on by a page and no more, Page up back."""
    await driven.press("home")
    await until(driven.pilot, lambda: driven.view.top_line == line(0))
    height = driven.view.size.height
    await driven.press("pagedown")
    assert driven.view.top_line == line(height - 1)
    await driven.press("pageup")
    assert driven.view.top_line == line(0)


async def test_backwards_to_warnings_and_on_to_bookmarks(driven: Driven) -> None:
    """`W` goes to the last warning before the cursor, `u` to the next bookmark after it."""
    coming = [line(100, "[WARN] so so"), line(101), line(102, "[ERROR] bad"), line(103)]
    driven.feed.logs.coming.put(coming)
    await driven.loaded(104)
    await driven.press("up", "m")
    assert driven.view.cursor_line == coming[3]
    for wanted in (coming[2], coming[0], coming[0]):
        await driven.press("W")
        assert driven.view.cursor_line == wanted
    await driven.press("u")
    assert driven.view.cursor_line == coming[3]


async def test_a_bar_back_and_on(driven: Driven) -> None:
    """`,` goes to the beginning of the bar before the line, `.` to that of the one after it."""
    await driven.press("plus", "minus")
    assert driven.screen.bars.step == STEPS_MS[1]
    await driven.press("home")
    await until(driven.pilot, lambda: driven.view.cursor_line == line(0))
    await driven.press("full_stop")
    await until(driven.pilot, lambda: driven.view.cursor_line == line(2))
    await driven.press("full_stop")
    await until(driven.pilot, lambda: driven.view.cursor_line == line(4))
    await driven.press("comma")
    await until(driven.pilot, lambda: driven.view.cursor_line == line(2))


async def test_the_bars_are_zoomed(driven: Driven) -> None:
    """`-` and `+` go through the steps and stop at the last one either way; the bars are those of the step."""
    screen = driven.screen
    await until(driven.pilot, lambda: screen.settled)
    await driven.press("plus")
    assert screen.bars.step == STEPS_MS[0]
    await driven.press(*["minus"] * len(STEPS_MS))
    assert screen.bars.step == STEPS_MS[-1]
    await until(driven.pilot, lambda: sum(bar[0] for bar in screen.bars._bars.values()) == 100)


async def test_times_of_utc(driven: Driven) -> None:
    """`Z` shows times in UTC, and again those of this place."""
    first = driven.view.top_line
    assert first is not None

    def told(*, utc: bool) -> bool:
        wanted = clock_text(first.timestamp, utc=utc)
        return (driven.view.utc, driven.screen.bars.utc, shown_time(driven)) == (utc, utc, wanted)

    await driven.press("Z")
    await until(driven.pilot, lambda: told(utc=True))
    await driven.press("Z")
    await until(driven.pilot, lambda: told(utc=False))


async def test_a_time_is_gone_to(driven: Driven) -> None:
    """`t` asks for a time, says which one it understands, and Enter goes there."""
    await driven.press("t")
    await until(driven.pilot, lambda: isinstance(driven.app.screen, Prompt))
    await driven.press(*"50s", "enter")
    await until(driven.pilot, lambda: driven.view.cursor_line == line(50))


async def test_without_a_value(driven: Driven) -> None:
    """`F` on a value of a line that is laid out shows only the lines without it."""
    driven.feed.logs.coming.put(
        [line(100 + number, f'{{"message":"m","id":{number % 2}}}') for number in range(4)]
    )
    await driven.loaded(104)
    await driven.press("up", "enter", "down", "down", "F")
    await until(driven.pilot, lambda: driven.screen.query_.text == "{ $.id != 1 }" and driven.screen.searched)
    assert [one.message for one in driven.view.buffer.shown] == ['{"message":"m","id":0}'] * 2


async def test_clicks(driven: Driven) -> None:
    """A click puts the cursor on a line, another one lays it out; a click on the scrollbar goes to that part."""
    driven.feed.logs.coming.put([line(100, '{"message":"m","a":1}')])
    await driven.loaded(101)
    view = driven.view
    bottom = view.size.height - 1
    await driven.pilot.click(view, offset=(30, bottom))
    assert view.cursor_line == line(100, '{"message":"m","a":1}')
    assert not view.unfolded
    await driven.pilot.click(view, offset=(30, [place.line for place, _ in view._drawn].index(100)))
    assert len(view.unfolded) == 1
    await driven.pilot.click(view, offset=(view.size.width - 1, 0))
    assert view.top_line == line(0)


async def test_the_wheel(driven: Driven) -> None:
    """The wheel scrolls by three rows and holds the text; further down than the newest line there is nothing."""
    view = driven.view
    bottom = view.top_line

    def shows(wanted: Line) -> bool:
        return view.top_line == wanted

    for kind, top in (
        (MouseScrollDown, 100 - view.size.height),
        (MouseScrollUp, 97 - view.size.height),
        (MouseScrollUp, 94 - view.size.height),
        (MouseScrollDown, 97 - view.size.height),
    ):
        view.post_message(kind(view, 5, 5, 0, 0, 0, shift=False, meta=False, ctrl=False))
        await until(driven.pilot, partial(shows, line(top)))
        assert view.following == (view.top_line == bottom)


async def test_nothing_is_lost_or_shifted_whatever_is_done(
    driven: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines that come while the user pauses, filters, scrolls and resumes: none moves the text, all are there in the end."""
    view, chance = driven.view, random.Random(8)
    given: list[Line] = [line(number) for number in range(100)]
    acts = ["p", "pageup", "pagedown", "home", "end", "up", "down", "filter", "unfilter", "escape"]
    taken = 0
    room = driven.screen.reader.taken

    def count() -> None:
        nonlocal taken
        taken += 1
        room()

    def came(deliveries: int) -> bool:
        return taken == deliveries

    monkeypatch.setattr(driven.screen.reader, "taken", count)
    for turn in range(60):
        act = chance.choice(acts)
        if act == "filter":
            driven.screen.filter_bar.set(f"line {chance.randrange(1, 9)}", Mode.TEXT)
        elif act == "unfilter":
            driven.screen.filter_bar.set("", Mode.TEXT)
        else:
            await driven.press(act)
        await at_rest(driven)
        following, top, unseen = view.following, view.top_line, view.unseen
        batch = [line(len(given) + number) for number in range(chance.randrange(1, 40))]
        # A late one, in the middle of what is there.
        batch.append(line(10_000 + turn, "line late", at=line(chance.randrange(5, 90)).timestamp + turn + 1))
        given += batch
        driven.feed.logs.coming.put(sorted(batch))
        await until(driven.pilot, partial(came, turn + 1))
        assert view.following == following
        if not following:
            assert view.top_line == top
            assert view.unseen == unseen + sum(map(driven.screen.query_.fits, batch))
    driven.screen.filter_bar.set("", Mode.TEXT)
    await driven.press("end")
    await at_rest(driven)
    await until(driven.pilot, lambda: view.buffer.total == len(given))
    assert view.following
    assert list(view.buffer.shown) == sorted(given)
    assert view.in_view()[-1] == max(given)
