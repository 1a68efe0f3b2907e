"""The failures screen, driven by its pilot against a mock feed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from rich.text import Text
from textual.widgets import Static

from lambdalog.failures.marks import Mark
from tests.tui.feeds import MockFeed
from tests.tui.made import failures, groups, line
from tests.tui.pilot import dashboard, shown, until
from tui.editor import Editor
from tui.failures.confirm import Confirm
from tui.failures.screen import FailuresScreen
from tui.json_tree import JsonTree
from tui.page import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

    from lambdalog.failures import Group
    from tui.app import Dashboard
    from tui.feed.failures import Planned

OTHER = "a" * 16


class Driven:
    """An app on its failures screen."""

    def __init__(self, app: Dashboard, pilot: Pilot[None], feed: MockFeed) -> None:
        self.app, self.pilot, self.feed = app, pilot, feed

    @property
    def screen(self) -> FailuresScreen:
        """The failures screen."""
        screen = self.app.get_screen_stack("failures")[0]
        assert isinstance(screen, FailuresScreen)
        return screen

    @property
    def asked(self) -> bool:
        """Whether a question is there, with what it is about."""
        return isinstance(self.app.screen, Confirm) and self.app.screen.told


@pytest.fixture
async def driven() -> AsyncIterator[Driven]:
    """Two groups, of three failures and of one."""
    feed = MockFeed(
        [line(1, "START RequestId: r-1"), line(2, "r-1 failed"), line(3)],
        groups(failures(3), failures(fingerprint=OTHER, type="Timeout", at=1_700_000_000_000)),
    )
    app = dashboard(feed)
    async with shown(app, "3", FailuresScreen, (140, 40)) as (pilot, _):
        found = Driven(app, pilot, feed)
        await until(pilot, lambda: len(found.screen.grid.keys) == 2 and found.screen.detail is not None)
        yield found


async def test_a_group_and_all_about_it(driven: Driven) -> None:
    """Each group is a row; the one under the cursor is told below: what, where, and its event."""
    told = str(driven.screen.query_one("#told", Static).render())
    assert "GatewayError: payment p-2 got no answer" in told
    tree = driven.screen.query_one("#event", JsonTree)
    assert [str(child.label) for child in tree.root.children] == ["id: p-2"]
    await driven.pilot.press("down")
    await until(driven.pilot, lambda: "Timeout" in str(driven.screen.query_one("#told", Static).render()))


async def test_a_replay_acts_on_exactly_what_was_confirmed(driven: Driven) -> None:
    """The question tells the exact count; failures that come after it are left alone."""
    await driven.pilot.press("R")
    await until(driven.pilot, lambda: driven.asked)
    asked = str(driven.app.screen.query_one("#what", Static).render())
    assert "replay 3 of 3 messages of payments-dlq" in asked
    assert f"where fingerprint={'f' * 16}" in asked
    driven.feed.failures.given = groups(failures(5))
    await driven.pilot.press(*"replay", "enter")
    await until(driven.pilot, lambda: len(driven.feed.failures.done) == 3)
    assert driven.feed.failures.done == [("replay", f"ffff-{number}") for number in range(3)]
    await until(driven.pilot, lambda: not driven.screen.running)


async def test_what_is_typed_ahead_of_a_question_is_its_answer(driven: Driven) -> None:
    """Until it is known what would be done, keys are the question's and no commands, and Enter says yes to nothing."""
    room = driven.feed.failures
    known = threading.Event()
    plans = room.plans

    def slow(group: Group, *, discard: bool) -> list[Planned]:
        known.wait(60)
        return plans(group, discard=discard)

    room.plans = slow  # type: ignore[method-assign]
    await driven.pilot.press("D", *"smart reason", "enter")
    assert isinstance(driven.app.screen, Confirm)
    assert not driven.app.screen.told
    known.set()
    await until(driven.pilot, lambda: driven.asked)
    assert room.done == []
    await driven.pilot.press("enter")
    await until(driven.pilot, lambda: len(room.done) == 3)
    assert {verb for verb, _ in room.done} == {"discard: smart reason"}


async def test_a_question_without_an_object_is_withdrawn(driven: Driven) -> None:
    """Where nothing is left, or it can't be known, the question goes, and why is said."""
    room = driven.feed.failures
    said: list[str] = []
    for owner in (driven.app, driven.screen):
        owner.notify = lambda message, **_: said.append(message)  # type: ignore[method-assign]

    def fails(group: Group, *, discard: bool) -> list[Planned]:
        raise OSError("no route to the queues")

    for plans, why in ((lambda *_, **__: [], "Nothing to replay"), (fails, "no route")):
        room.plans = plans  # type: ignore[method-assign]
        await driven.pilot.press("R")
        await until(driven.pilot, lambda why=why: any(why in message for message in said))  # type: ignore[misc]
        await until(driven.pilot, lambda: driven.app.screen is driven.screen)


async def test_nothing_happens_unless_the_word_is_typed(driven: Driven) -> None:
    """Another word, or Escape, leaves everything as it is."""
    await driven.pilot.press("R")
    await until(driven.pilot, lambda: driven.asked)
    await driven.pilot.press(*"yes", "enter")
    assert isinstance(driven.app.screen, Confirm)
    note = driven.app.screen.query_one(".note", Static)
    assert "nothing is done until replay is typed" in str(note.content)
    await driven.pilot.press("escape")
    await until(driven.pilot, lambda: driven.app.screen is driven.screen)
    assert driven.feed.failures.done == []


async def test_a_discard_wants_a_reason(driven: Driven) -> None:
    """Without one nothing is deleted; with one, exactly the group."""
    await driven.pilot.press("D")
    await until(driven.pilot, lambda: driven.asked)
    await driven.pilot.press("enter")
    assert isinstance(driven.app.screen, Confirm)
    assert "say why" in str(driven.app.screen.query_one(".note", Static).content)
    await driven.pilot.press(*"tests", "enter")
    await until(driven.pilot, lambda: len(driven.feed.failures.done) == 3)
    assert {verb for verb, _ in driven.feed.failures.done} == {"discard: tests"}


async def test_however_much_is_asked_about_the_answer_can_be_typed() -> None:
    """A plan of many queues is scrolled; the line to type into is on the smallest screen."""
    app = dashboard(MockFeed([]))
    async with app.run_test(size=(80, 24)) as pilot:
        what = Text("".join(f"replay 1 of 9 messages of queue-{number}\n" for number in range(40)))
        app.push_screen(Confirm("replay 40 failures", what, word="replay"))
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.is_mounted)
        await pilot.pause()
        for part in ("Input", ".note"):
            region = app.screen.query_one(part).region
            assert region.height
            assert region.bottom < 24


async def test_marks(driven: Driven) -> None:
    """`s` resolves the group under the cursor, `m` mutes it."""
    await driven.pilot.press("s", "m")
    await until(driven.pilot, lambda: len(driven.feed.failures.done) == 2)
    assert set(driven.feed.failures.done) == {("resolve", "f" * 16), ("mute", "f" * 16)}


async def test_muted_groups_are_hidden_until_asked_for(driven: Driven) -> None:
    """`M` shows them, and hides them again."""
    marks = {OTHER: Mark(OTHER, "muted", 1_700_000_060_000, None, "me", "")}
    driven.feed.failures.given = groups(failures(3), failures(fingerprint=OTHER), marks=marks)
    driven.screen._wake.set()
    await until(driven.pilot, lambda: len(driven.screen.grid.keys) == 1)
    await driven.pilot.press("M")
    await until(driven.pilot, lambda: len(driven.screen.grid.keys) == 2)


async def test_from_a_failure_to_its_log_lines(driven: Driven) -> None:
    """Enter shows only the lines of the newest failure's request, on the logs screen."""
    await driven.pilot.press("enter")
    await until(driven.pilot, lambda: driven.app.current_mode == "logs")
    await until(driven.pilot, lambda: len(driven.app.logs.view.buffer.shown) == 2)
    assert driven.app.logs.query_.text == "r-1"
    await driven.pilot.press("backspace")
    await until(driven.pilot, lambda: driven.app.current_mode == "failures")


async def test_trouble_is_shown_and_overcome(driven: Driven) -> None:
    """A source that can't be read is named, and read again until it can."""
    driven.feed.failures.fail_with = OSError("no route to the queues")
    driven.screen._wake.set()
    await until(driven.pilot, lambda: "no route" in driven.screen.said)
    driven.feed.failures.fail_with = None
    driven.screen._wake.set()
    await until(driven.pilot, lambda: "no route" not in driven.screen.said)


async def test_why_a_replay_stopped_is_told(driven: Driven) -> None:
    """A failed canary is named, with what takes the rest up again."""
    driven.feed.failures.stops_with = "the canary failed"
    said: list[str] = []
    driven.screen.notify = lambda message, **_: said.append(message)  # type: ignore[method-assign]
    await driven.pilot.press("R")
    await until(driven.pilot, lambda: driven.asked)
    await driven.pilot.press(*"replay", "enter")
    await until(driven.pilot, lambda: bool(said))
    assert "the canary failed" in said[0]


async def test_one_event_is_edited_and_sent(driven: Driven) -> None:
    """`E` opens the newest failure's event; only that failure is sent, with the event as it was left."""
    await driven.pilot.press("E")
    await until(driven.pilot, lambda: isinstance(driven.app.screen, Editor))
    editor = driven.app.screen
    assert isinstance(editor, Editor)
    editor.area.text = '{"id": "p-3"}'
    await driven.pilot.press("ctrl+s")
    await until(driven.pilot, lambda: driven.asked)
    assert "1  with an edited event" in str(driven.app.screen.query_one("#what", Static).render())
    await driven.pilot.press(*"replay", "enter")
    await until(driven.pilot, lambda: ("replay", "ffff-2") in driven.feed.failures.done)
    assert driven.feed.failures.done == [("edit", '{"id":"p-3"}'), ("replay", "ffff-2")]


async def test_what_is_no_json_is_not_taken(driven: Driven) -> None:
    """A broken event is refused as it is typed, and nothing is sent; Escape leaves everything as it is."""
    await driven.pilot.press("E")
    await until(driven.pilot, lambda: isinstance(driven.app.screen, Editor))
    editor = driven.app.screen
    assert isinstance(editor, Editor)
    editor.area.text = '{"id": '
    await until(driven.pilot, lambda: "no JSON" in str(editor.query_one(".note", Static).render()))
    await driven.pilot.press("ctrl+s")
    assert driven.app.screen is editor
    await driven.pilot.press("escape")
    await until(driven.pilot, lambda: driven.app.screen is driven.screen)
    assert driven.feed.failures.done == []


async def test_the_newest_event_is_copied(driven: Driven) -> None:
    """`y` copies the event as it stands in the message."""
    await driven.pilot.press("y")
    assert driven.app.clipboard == '{"id": "p-2"}'


async def test_what_runs_is_stopped(driven: Driven) -> None:
    """Escape asks the run to stop after the failure it is at; the filter is left alone meanwhile."""
    driven.feed.failures.waits = threading.Event()
    driven.screen.set_filter("p-2")
    await driven.pilot.press("R")
    await until(driven.pilot, lambda: driven.asked)
    await driven.pilot.press(*"replay", "enter")
    await until(driven.pilot, lambda: len(driven.feed.failures.done) == 1)
    await driven.pilot.press("escape")
    driven.feed.failures.waits.set()
    await until(driven.pilot, lambda: not driven.screen.running)
    assert driven.feed.failures.done == [("replay", "ffff-0")]
    assert driven.screen.filter_bar.text == "p-2"


async def test_only_groups_that_fit_are_shown(driven: Driven) -> None:
    """A filter looks at type, message, status and where; what is hidden is counted."""
    await driven.pilot.press("slash", *"Timeout", "enter")
    await until(driven.pilot, lambda: driven.screen.grid.keys == [OTHER])
    assert "1 failure in 1 group (1 hidden)" in driven.screen.said
    await driven.pilot.press("escape")
    await until(driven.pilot, lambda: len(driven.screen.grid.keys) == 2)


async def test_a_megabyte_and_a_deep_event_do_no_harm() -> None:
    """Names, messages and events of a megabyte, and one that is nested without end, are drawn as much as fits."""
    bad = "\x1b[2J\u202e[red]\u200b" * 100_000
    for body in (bad, "[" * 100_000, '{"a": "' + bad + '"}'):
        found = failures(message=bad, type=bad, body=body)
        app = dashboard(MockFeed([], groups(found)))
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("3")
            await until(pilot, lambda app=app: app.current_mode == "failures" and app.settled)  # type: ignore[misc]
            await pilot.press("v")
            await until(pilot, lambda app=app: isinstance(app.screen, Page))  # type: ignore[misc]
            drawn = app.export_screenshot()
            assert not {"\x1b", "\u202e", "\u200b"} & set(drawn)


async def test_the_event_opens_on_a_page(driven: Driven) -> None:
    """`v` shows the event as a tree, at any width."""
    await driven.pilot.press("v")
    await until(driven.pilot, lambda: isinstance(driven.app.screen, Page))
    assert driven.app.screen.query_one(JsonTree).root.children


async def test_a_narrow_screen_has_the_event_below_the_stack() -> None:
    """Where there is no room beside the stack, the event stands in its text."""
    feed = MockFeed([], groups(failures(1)))
    app = dashboard(feed)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: app.current_mode == "failures" and app.settled)
        assert '"id": "p-2"' in str(app.screen.query_one("#told", Static).render())
        assert not app.screen.query_one("#event").display


async def test_what_nobody_looks_at_is_left_without_another_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left from another screen, nothing is asked any more: the source may be gone by then, and would be begun anew."""
    feed = MockFeed([line(1)], groups(failures(1)))
    async with shown(dashboard(feed), "3", FailuresScreen, (140, 40)) as (pilot, screen):
        await until(pilot, lambda: screen.read)
        shown_again = threading.Event()
        # The end of the screen is what lets its thread go on.
        monkeypatch.setattr(shown_again, "wait", screen._stop.set)
        monkeypatch.setattr(screen, "_shown", shown_again)
        before = feed.failures.readings
        screen._read()
        assert feed.failures.readings == before
