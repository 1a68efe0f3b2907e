"""Groups and streams chosen from lists, by what is typed, by keys and by mouse."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from textual.events import Key
from textual.widgets import Input, SelectionList, Static

from lambdalog.errors import LambdalogError
from tests.tui.feeds import MockFeed
from tests.tui.made import line
from tests.tui.pilot import dashboard, until
from tui.logs.chooser import Chooser, Listed, Marks, fitting_streams, meant_streams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual.pilot import Pilot

    from tui.app import Dashboard

ROWS = [
    Listed("2026/11/26/[$LATEST]ab12", 3, ("g",)),
    Listed("2026/11/26/[7]cd34", 2, ("g",)),
    Listed("2026/11/25/[7]ab99", 1, ("g",)),
]


@pytest.mark.parametrize(
    ("typed", "shown", "meant"),
    [
        ("", [0, 1, 2], ""),
        ("2026/11/26", [0, 1], "2026/11/26"),
        ("*[7]*", [1, 2], "*[7]*"),
        ("AB", [0, 2], "*ab*"),
        ("[$LATEST]", [0], "*[$LATEST]*"),
        ("2027", [], "2027"),
        ("*2027", [], "*2027"),
    ],
)
def test_what_is_typed_means_streams(typed: str, shown: list[int], meant: str) -> None:
    """How names begin, a glob, or else a part of them; what none of the listed has is a filter for others all the same."""
    assert fitting_streams(ROWS, typed) == [ROWS[index] for index in shown]
    assert meant_streams(ROWS, typed) == meant


@asynccontextmanager
async def chooser(
    feed: MockFeed, *, state: Path | None = None, size: tuple[int, int] = (100, 30)
) -> AsyncIterator[tuple[Pilot[None], Dashboard]]:
    """A dashboard whose chooser is open, with its streams listed."""
    app = dashboard(feed, state=state)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == len(feed.logs.past))
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, Chooser) and bool(names(app)))
        yield pilot, app


def names(app: Dashboard, where: str = "#listed") -> list[str]:
    """The rows of a list."""
    return [str(option.prompt) for option in app.screen.query_one(where, SelectionList).options]


def label(app: Dashboard, where: str = "#streams-label") -> str:
    """What stands above a list."""
    return str(app.screen.query_one(where, Static).content)


def at_once(app: Dashboard, *keys: str) -> None:
    """Type faster than anything is done about it."""
    for key in keys:
        app.post_message(Key(key, key if len(key) == 1 else None))


def made() -> MockFeed:
    """Two groups; of one, four streams, of which one has a name that another one begins with."""
    lines = [line(n, group="/aws/lambda/orders", stream=f"s{n % 4 or 10}") for n in range(40)]
    return MockFeed([*lines, *(line(n, group="/aws/lambda/audit", stream="s10") for n in range(40, 50))])


async def test_groups_are_chosen_by_glob() -> None:
    """What is typed narrows the names, and Enter shows only the groups that it means."""
    feed = MockFeed([line(n, group=f"/aws/lambda/{'orders' if n % 4 else 'audit'}") for n in range(40)])
    app = dashboard(feed)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 40)
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, Chooser))
        await pilot.press(*"audit")
        await until(pilot, lambda: app.screen.query_one(SelectionList).option_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: app.logs.view.buffer.total == 10)
        assert app.logs.query_.groups == ("/aws/lambda/audit",)


async def test_streams_are_listed_newest_first_and_several_can_be_chosen() -> None:
    """Marks mean just the streams that have them, whatever else begins like these; the head tells how many they are."""
    feed = made()
    async with chooser(feed) as (pilot, app):
        assert [row.split()[1] for row in names(app)] == ["s10", "s3", "s2", "s1"]
        assert names(app)[0].split() == ["51s", "s10", "2", "groups"]
        assert label(app) == "streams · 4"
        await pilot.press("tab", "tab", "down", "end", "space", "up", "space")
        await until(pilot, lambda: "2 marked" in label(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.logs.view.buffer.total == 20)
        assert app.logs.query_.streams == ("s1", "s2")
        await until(pilot, lambda: "2 streams" in app.logs.said)
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, Chooser) and "2 marked" in label(app))


async def test_streams_are_narrowed_as_typed() -> None:
    """A beginning, a glob or a part narrow the list; Enter without marks takes what was typed."""
    async with chooser(made()) as (pilot, app):
        app.screen.query_one("#streams", Input).focus()
        await pilot.press("s", "1")
        await until(pilot, lambda: label(app) == "streams · 2 of 4")
        await pilot.press("backspace", "backspace", "*", "0")
        await until(pilot, lambda: label(app) == "streams · 1 of 4")
        await pilot.press("enter")
        await until(pilot, lambda: app.logs.view.buffer.total == 20)
        assert app.logs.query_.streams == "*0"


async def test_the_streams_are_those_of_the_chosen_groups() -> None:
    """Marking a group, or typing one, lists its streams; what was marked before stays to be seen."""
    feed = made()
    async with chooser(feed) as (pilot, app):
        await pilot.press("down", "space")
        await until(pilot, lambda: label(app) == "streams · 1")
        assert feed.logs.asked_streams == [(), ("/aws/lambda/audit",)]
        await pilot.press("space")
        await until(pilot, lambda: label(app) == "streams · 4")
        app.screen.query_one("#glob", Input).focus()
        await pilot.press(*"orders")
        await until(pilot, lambda: "groups" not in names(app)[0])
        assert feed.logs.asked_streams[-1] == ("/aws/lambda/orders",)
        assert label(app, "#groups-label") == "groups · 1 of 2"


async def test_what_fits_no_group_is_not_taken() -> None:
    """Enter stays where it is, and Escape leaves things as they were."""
    async with chooser(made()) as (pilot, app):
        await pilot.press(*"nothing", "enter")
        assert isinstance(app.screen, Chooser)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.logs)
        assert app.logs.query_.groups == ()


async def test_streams_beyond_the_list_are_told_and_may_be_typed() -> None:
    """Where there are more than are listed, that is said; a name that isn't listed is taken as it is typed."""
    feed = made()
    feed.logs.more_streams = True
    async with chooser(feed, size=(120, 36)) as (pilot, app):
        assert label(app) == "streams · 4, the newest of more"
        app.screen.query_one("#streams", Input).focus()
        await pilot.press(*"old/", "enter")
        await until(pilot, lambda: app.logs.query_.streams == "old/")


async def test_streams_that_can_not_be_listed_are_told_and_asked_for_again() -> None:
    """No list is waited for in vain: what is typed is taken, and the next groups are asked about; so are the same again."""
    feed = made()
    async with chooser(feed) as (pilot, app):
        feed.logs.fail_streams_with = LambdalogError("throttled")
        await pilot.press("down", "space")
        await until(pilot, lambda: "not listed" in label(app))
        assert names(app) == []
        feed.logs.fail_streams_with = None
        await pilot.press("space", "space")
        await until(pilot, lambda: label(app) == "streams · 1")
        await pilot.press("enter")
        await until(pilot, lambda: app.logs.query_.groups == ("/aws/lambda/audit",))


async def test_keys_that_come_all_at_once_are_taken_one_after_the_other() -> None:
    """Enter takes what was typed or marked just before it, be it that nothing of that was drawn yet."""
    async with chooser(made()) as (pilot, app):
        at_once(app, "a", "u", "d", "enter")
        await until(pilot, lambda: app.logs.query_.groups == ("/aws/lambda/audit",))
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, Chooser) and label(app) == "streams · 1")
        await pilot.press("down")
        at_once(app, "space", "down", "space", "enter")
        await until(pilot, lambda: app.logs.query_.groups == ("/aws/lambda/orders",))


async def test_a_mouse_chooses_too() -> None:
    """A click marks a stream, a click on the words below takes it."""
    async with chooser(made()) as (pilot, app):
        assert await pilot.click("#listed", offset=(8, 1))
        await until(pilot, lambda: "1 marked" in label(app))
        marks = app.screen.query_one("#listed", Marks)
        assert [marks.render_line(y).text[1] for y in range(5)] == ["·", "✓", "·", "·", " "]
        note = app.screen.query(Static).last()
        assert await pilot.click(note, offset=(len("Space marks · En"), 0))
        await until(pilot, lambda: app.logs.query_.streams == ("s3",))


async def test_what_was_chosen_is_taken_up_by_the_next_start(tmp_path: Path) -> None:
    """Streams by their names outlive the dashboard, and can be seen though they aren't among the newest any longer."""
    feed = made()
    async with chooser(feed, state=tmp_path) as (pilot, app):
        await pilot.press("tab", "tab", "down", "end", "space", "enter")
        await until(pilot, lambda: app.logs.query_.streams == ("s1",))
        await pilot.press("q")
    feed.logs.past = [one for one in feed.logs.past if one.stream != "s1"]
    again = dashboard(feed, state=tmp_path)
    async with again.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: again.logs.drawn and again.logs.query_.streams == ("s1",))
        await pilot.press("s")
        await until(pilot, lambda: isinstance(again.screen, Chooser) and bool(names(again)))
        assert names(again)[0].split() == ["s1"]
        assert "1 marked" in label(again)


async def test_hostile_names_of_streams_are_text() -> None:
    """Markup and escapes in a name are shown as they are, and the stream can be chosen."""
    name = "[bold]\x1b[2Jx[/bold]"
    feed = MockFeed([line(n, stream=name) for n in range(5)])
    async with chooser(feed) as (pilot, app):
        assert "[bold]␛[2Jx[/bold]" in names(app)[0]
        await pilot.press("tab", "tab", "down", "space", "enter")
        await until(pilot, lambda: app.logs.query_.streams == (name,))
        await until(pilot, lambda: "[bold]␛[2Jx[/bold]" in app.logs.said)
