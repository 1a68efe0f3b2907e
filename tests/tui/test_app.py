"""The dashboard as a whole: its table of actions, its screens, what reaches the terminal."""

from __future__ import annotations

import asyncio
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from textual.design import ColorSystem

from lambdalog.errors import ConfigError
from tests.tui.feeds import MockFeed
from tests.tui.made import failures, function_of, groups, line, message_of, queue_of, ran
from tests.tui.pilot import dashboard, until
from tui.actions import ALL, SCOPES, checked_keymap
from tui.app import Dashboard, screenshot
from tui.keys import Keys
from tui.modes import MODES, screen_class

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.failures import Group


@pytest.mark.parametrize("scope", list(SCOPES))
def test_every_action_is_there(scope: str) -> None:
    """Each action of the table names a method of its screen or of the app, with a docstring."""
    owner: type = Dashboard if scope == "app" else screen_class(scope)
    for action in SCOPES[scope]:
        method = getattr(owner, f"action_{action.call.partition('(')[0]}")
        assert inspect.getdoc(method), action.name


def test_no_key_means_two_things() -> None:
    """The table itself passes what a user's keymap has to pass."""
    assert checked_keymap({}) == {}


def test_what_can_not_be_undone_has_uppercase_keys() -> None:
    """Replay and discard are on letters that no one presses by mistake."""
    for name in (
        "functions.invoke",
        "functions.queue",
        "failures.replay",
        "failures.discard",
        "queues.look",
        "queues.move",
        "queues.purge",
    ):
        assert ALL[name].keys.isupper()


@pytest.mark.parametrize(
    ("keymap", "said"),
    [({"logs.nothing": "x"}, "no action"), ({"logs.pause": "z"}, "both"), ({"logs.pause": "q"}, "both")],
)
def test_a_keymap_that_can_not_be(keymap: dict[str, str], said: str) -> None:
    """An unknown action, or a key given to two actions of one screen, is refused with their names."""
    with pytest.raises(ConfigError, match=said):
        checked_keymap(keymap)


async def test_a_users_keymap_holds(feed: MockFeed) -> None:
    """An action has the keys that the user gave it, and not its own any longer."""
    app = dashboard(feed, keymap={"logs.pause": "f2"})
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 100)
        await pilot.press("p")
        assert app.logs.view.following
        await pilot.press("f2")
        assert not app.logs.view.following


async def test_the_keys_are_shown(feed: MockFeed) -> None:
    """`?` lists what the screen can do; Escape closes that."""
    app = dashboard(feed)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 100)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Keys))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, Keys))


async def test_an_action_is_found_by_its_name(feed: MockFeed) -> None:
    """The palette runs what is chosen in it."""
    app = dashboard(feed)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn)
        await pilot.press("ctrl+p", *"queues and topics")
        await until(
            pilot, lambda: bool(app.screen.query("OptionList")) and app.screen.query_one("OptionList").display
        )
        await pilot.pause(0.3)
        await pilot.press("enter")
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "queues")


async def test_another_theme_is_chosen(feed: MockFeed) -> None:
    """`ctrl+t` lists them; the one that is chosen is drawn with."""
    app = dashboard(feed)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn)
        await pilot.press("ctrl+t", *"high-contrast")
        await pilot.pause(0.3)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: app.theme == "high-contrast")


async def test_a_screen_is_drawn_into_a_file(
    feed: MockFeed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ctrl+s` leaves an SVG in the folder that the dashboard was started in."""
    monkeypatch.chdir(tmp_path)
    app = dashboard(feed)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 100)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: [path.read_text("utf-8")[:4] for path in tmp_path.iterdir()] == ["<svg"])


async def test_hostile_text_is_drawn_as_text() -> None:
    """Escape sequences and markup in messages, names and failures reach no screen but as visible characters."""
    bad = "\x1b[2J\x1b]0;owned\x07[red]no[/red] \u202e"
    for screen in MODES:
        feed = MockFeed([line(1, bad, group=bad)], groups(failures(message=bad, type=bad)))
        feed.queues.given = [queue_of(bad)]
        feed.queues.messages = {bad: [message_of(body=bad)]}
        feed.invocations.lines = ran(function=bad, error="Bad")
        feed.functions.given = [function_of(bad, Description=bad, Handler=bad)]
        drawn = await screenshot(feed, (120, 30), screen=screen)
        for character in ("\x1b", "\x07", "\u202e"):
            assert character not in drawn
        assert "[red]no[/red]" in drawn.replace("&#160;", " ")


@pytest.mark.parametrize("theme", ["lambdalog", "high-contrast", "no-colour", "lambdalog-light"])
async def test_each_theme(feed: MockFeed, theme: str) -> None:
    """Every screen can be drawn in every theme of ours, from 80 columns on; the snapshots have other widths."""
    feed.failures.given = groups(failures(3))
    app = dashboard(feed, theme=theme)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.logs.drawn and app.logs.view.buffer.total == 100)
        for name in MODES:
            app.switch_mode(name)
            await until(pilot, lambda: app.settled)
            assert "λ" in app.export_screenshot()


async def test_a_screenshot_needs_no_terminal(feed: MockFeed) -> None:
    """The SVG holds what the feed has."""
    feed.failures.given = groups(failures())
    assert "99" in await screenshot(feed, (140, 40))
    drawn = await screenshot(feed, (140, 40), screen="failures")
    assert drawn.startswith("<svg")
    assert "GatewayError" in drawn


async def test_every_screen_at_once_leaves_threads_to_answer_keys(feed: MockFeed) -> None:
    """However few cores there are, a question is answered while all screens read on."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(5))
    app = dashboard(feed)
    async with app.run_test(size=(100, 30)) as pilot:
        for name in MODES:
            app.switch_mode(name)
            await until(pilot, lambda: app.settled)
        answers: list[int] = []
        app.ask(app.screen, lambda: 42, answers.append)
        await until(pilot, lambda: answers == [42])


async def test_leaving_waits_for_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever still waits for the feed is let go when the app ends: its threads are waited for."""
    feed = MockFeed()
    asked, left = threading.Event(), threading.Event()

    def read() -> list[Group]:
        asked.set()
        left.wait(20)
        return []

    monkeypatch.setattr(feed.failures, "groups", read)
    monkeypatch.setattr(feed, "leave", left.set)
    app = dashboard(feed)
    async with app.run_test() as pilot:
        await pilot.press("3")
        await until(pilot, asked.is_set)
    assert left.is_set()


async def test_upkeep_that_fails_is_told_once(feed: MockFeed) -> None:
    """A disk that stays full is said once, whatever is shown; another trouble is said again."""
    app = dashboard(feed)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.logs.drawn)
        for what in ("it is full", "it is full", "it is gone"):
            feed.troubles.put(what)
        await until(pilot, lambda: len(app._notifications) == 2)
        assert [note.message for note in app._notifications] == ["it is full", "it is gone"]


async def test_colours_are_made_once_for_a_theme(feed: MockFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A theme's colours are computed when it is first chosen, and are its own after others were."""
    monkeypatch.setattr(Dashboard, "_shades", {})
    made: list[str] = []
    generate = ColorSystem.generate

    def counting(self: ColorSystem) -> dict[str, str]:
        made.append(self.primary.hex)
        return generate(self)

    monkeypatch.setattr(ColorSystem, "generate", counting)
    app = dashboard(feed)
    async with app.run_test(size=(80, 24)) as pilot:
        first = app.theme_variables["primary"]
        for name in ("high-contrast", "lambdalog"):
            app.theme = name
            await pilot.pause()
        assert app.theme_variables["primary"] == first
        assert len(made) == len(set(made))
