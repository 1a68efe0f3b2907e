"""The screen of queues and topics, driven by its pilot against a mock feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.tui.feeds import MockFeed
from tests.tui.made import message_of, queue_of
from tests.tui.pilot import dashboard, shown, until
from tui.failures.confirm import Confirm
from tui.feed.queues import Task, Topic
from tui.json_tree import JsonTree
from tui.page import Page
from tui.prompt import Prompt
from tui.queues.screen import QueuesScreen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

    from tui.app import Dashboard


class Driven:
    """An app on its screen of queues."""

    def __init__(self, app: Dashboard, pilot: Pilot[None], feed: MockFeed) -> None:
        self.app, self.pilot, self.feed = app, pilot, feed

    @property
    def screen(self) -> QueuesScreen:
        """The screen of queues."""
        screen = self.app.get_screen_stack("queues")[0]
        assert isinstance(screen, QueuesScreen)
        return screen

    @property
    def title(self) -> str:
        """What is told above the inside."""
        return str(self.screen.box.border_title)

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)

    async def opened(self, kind: type) -> None:
        """Wait for a page or question."""
        await until(self.pilot, lambda: isinstance(self.app.screen, kind))

    async def noted(self, *what: str) -> None:
        """Wait until the feed was asked to do this."""
        await until(self.pilot, lambda: what in self.feed.queues.done)


@pytest.fixture
async def driven() -> AsyncIterator[Driven]:
    """A queue, its dead-letter queue with three messages, and a topic."""
    feed = MockFeed()
    feed.queues.given = [
        queue_of("orders", ready=0, dead="orders-dlq", receives=3),
        queue_of("orders-dlq", sources=("orders",), oldest=1_700_000_041_000),
    ]
    feed.queues.topics_given = [Topic("alarms", "arn:aws:sns:us-east-1:000000000000:alarms", 2, 0)]
    feed.queues.messages = {"orders-dlq": [message_of(n, f'{{"id": {n}}}') for n in (1, 2, 3)]}
    app = dashboard(feed, keymap={})
    async with shown(app, "5", QueuesScreen, (140, 40)) as (pilot, _):
        found = Driven(app, pilot, feed)
        await until(pilot, lambda: len(found.screen.grid.keys) == 3)
        yield found


async def test_what_lies_in_a_queue_is_shown(driven: Driven) -> None:
    """Moving the cursor to a queue shows its messages, the oldest first, and how old that is."""
    await driven.press("down")
    await until(driven.pilot, lambda: len(driven.screen.inside.keys) == 3)
    assert driven.screen.inside.keys == ["m-1", "m-2", "m-3"]
    assert "3 messages" in driven.title
    assert "oldest 59s" in driven.title


async def test_who_is_subscribed_is_shown(driven: Driven) -> None:
    """A topic shows its subscriptions."""
    await driven.press("down", "down")
    await until(driven.pilot, lambda: "2 subscriptions" in driven.title)
    assert len(driven.screen.inside.keys) == 2


async def test_a_message_opens(driven: Driven) -> None:
    """Enter on a queue goes to its messages, Enter on a message shows all of it with its body as a tree."""
    await driven.press("down")
    await until(driven.pilot, lambda: len(driven.screen.inside.keys) == 3)
    await driven.press("enter", "down", "enter")
    await driven.opened(Page)
    assert str(driven.app.screen.query_one(JsonTree).root.children[0].label) == "id: 2"
    await driven.press("escape")
    await driven.opened(QueuesScreen)


async def test_attributes_open(driven: Driven) -> None:
    """`a` tells all attributes of what is under the cursor."""
    await driven.press("a")
    await driven.opened(Page)


async def test_only_some_are_shown(driven: Driven) -> None:
    """`/` takes a part of a name; Escape shows all again."""
    await driven.press("slash", *"dlq", "enter")
    await until(driven.pilot, lambda: len(driven.screen.grid.keys) == 1)
    await driven.press("escape")
    await until(driven.pilot, lambda: len(driven.screen.grid.keys) == 3)


async def test_a_purge_wants_the_name(driven: Driven) -> None:
    """`P` deletes everything once the queue's name is typed, and nothing on Escape or another word."""
    await driven.press("down", "P")
    await driven.opened(Confirm)
    await driven.press(*"orders", "enter")
    assert isinstance(driven.app.screen, Confirm)
    await driven.press("escape")
    await driven.opened(QueuesScreen)
    assert not any(done[0] == "purge" for done in driven.feed.queues.done)
    await driven.press("P")
    await driven.opened(Confirm)
    await driven.press(*"orders-dlq", "enter")
    await driven.noted("purge", "orders-dlq")


async def test_a_move_asks_where_to(driven: Driven) -> None:
    """`M` asks for a queue, says how many would go where, and moves once that is confirmed."""
    await driven.press("down", "M")
    await driven.opened(Prompt)
    await driven.press("enter")
    await driven.opened(Confirm)
    await driven.press(*"move", "enter")
    await driven.noted("move", "orders-dlq", "")


async def test_only_a_dead_letter_queue_moves(driven: Driven) -> None:
    """`M` on another queue says why not, and asks nothing."""
    await driven.press("M")
    await until(driven.pilot, lambda: bool(driven.app._notifications))
    assert isinstance(driven.app.screen, QueuesScreen)


async def test_a_move_is_cancelled(driven: Driven) -> None:
    """`C` cancels the move that is running; where none is, that is said."""
    await driven.press("down", "C")
    await until(driven.pilot, lambda: bool(driven.app._notifications))
    driven.feed.queues.running = [Task("handle", "RUNNING", 5, 10, "", "")]
    await driven.press("C")
    await driven.noted("cancel", "orders-dlq")


async def test_on_aws_a_look_is_asked_for() -> None:
    """Where a look counts as a receive, nothing is looked into until `L` is pressed."""
    feed = MockFeed()
    feed.queues.free_looks = False
    feed.queues.given = [queue_of("orders-dlq")]
    feed.queues.messages = {"orders-dlq": [message_of()]}
    app = dashboard(feed)
    async with shown(app, "5", QueuesScreen, (140, 40)) as (pilot, screen):
        assert not feed.queues.done
        assert "L looks into it" in str(screen.box.border_title)
        await pilot.press("L")
        await until(pilot, lambda: len(screen.inside.keys) == 1)
        assert feed.queues.done == [("look", "orders-dlq")]


async def test_on_aws_a_look_that_may_move_messages_wants_a_word() -> None:
    """A queue whose own redrive policy counts each look is looked into only when `look` was typed."""
    feed = MockFeed()
    feed.queues.free_looks = False
    feed.queues.given = [queue_of("orders", dead="orders-dlq", receives=3)]
    feed.queues.messages = {"orders": [message_of()]}
    app = dashboard(feed)
    async with shown(app, "5", QueuesScreen, (140, 40)) as (pilot, screen):
        for typed in ("escape", "l o o k enter"):
            assert not feed.queues.done
            await pilot.press("L")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            await pilot.press(*typed.split())
            await until(pilot, lambda: app.screen is screen)
        await until(pilot, lambda: len(screen.inside.keys) == 1)
        assert feed.queues.done == [("look", "orders")]


async def test_a_megabyte_and_a_deep_body_do_no_harm() -> None:
    """Names, endpoints and bodies of a megabyte, and one that is nested without end, are drawn as much as fits."""
    bad = "\x1b[2J\u202e[red]\u200b" * 100_000
    feed = MockFeed()
    feed.queues.given = [queue_of("q", why=(bad,))]
    feed.queues.messages = {"q": [message_of(1, bad), message_of(2, "[" * 100_000, system={"x": bad})]}
    app = dashboard(feed)
    async with shown(app, "5", QueuesScreen, (120, 24)) as (pilot, screen):
        await until(pilot, lambda: len(screen.inside.keys) == 2)
        for keys in (("enter",), ("enter",), ("escape", "down", "enter")):
            drawn = app.export_screenshot()
            assert not {"\x1b", "\u202e", "\u200b"} & set(drawn)
            await pilot.press(*keys)
        assert isinstance(app.screen, Page)


async def test_copying(driven: Driven) -> None:
    """`y` copies the ARN, and the body where the messages have the cursor."""
    await driven.press("y")
    assert driven.app.clipboard.endswith(":orders")
    await driven.press("down")
    await until(driven.pilot, lambda: len(driven.screen.inside.keys) == 3)
    await driven.press("tab", "y")
    assert driven.app.clipboard == '{"id": 1}'


async def test_trouble_goes_by_itself(driven: Driven) -> None:
    """What the source says is shown in the head until it can be read again."""
    driven.feed.queues.fail_with = OSError("the disk is gone")
    driven.screen._wake.set()
    await until(driven.pilot, lambda: "the disk is gone" in driven.screen._trouble)
    driven.feed.queues.fail_with = None
    driven.screen._wake.set()
    await until(driven.pilot, lambda: not driven.screen._trouble)
