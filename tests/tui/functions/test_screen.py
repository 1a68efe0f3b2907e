"""The functions screen, driven by its pilot against a mock feed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from textual.widgets import OptionList, Static

from lambdalog.health import Who
from tests.tui.feeds import MockFeed
from tests.tui.made import function_of, ran
from tests.tui.pilot import dashboard, shown, until
from tui.editor import Editor
from tui.failures.confirm import Confirm
from tui.feed.functions import About, Alias
from tui.functions.invoking import Samples
from tui.functions.screen import FunctionsScreen
from tui.invocations.screen import InvocationsScreen
from tui.page import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

    from lambdalog.tail import Line
    from tui.app import Dashboard

NOW = 1_700_000_100_000


class Driven:
    """An app on its functions screen."""

    def __init__(self, app: Dashboard, pilot: Pilot[None], feed: MockFeed) -> None:
        self.app, self.pilot, self.feed = app, pilot, feed

    @property
    def screen(self) -> FunctionsScreen:
        """The functions screen."""
        screen = self.app.get_screen_stack("functions")[0]
        assert isinstance(screen, FunctionsScreen)
        return screen

    @property
    def shown(self) -> list[str]:
        """The rows as function:version, from the first on."""
        return [f"{row.name}:{row.version}" for row in self.screen.rows.values()]

    @property
    def told(self) -> str:
        """What the pane says."""
        return str(self.screen.query_one("#told", Static).render())

    def cells(self, name: str, version: str) -> dict[str, str]:
        """A row as texts."""
        painted = self.screen._paint(Who.of(name, f"/aws/lambda/{name}", version))
        return {column: "".join(part.text for part in cell).strip() for column, cell in painted.items()}


def lines() -> list[Line]:
    """Ten runs of payments:3, one of which fails, five of payments:4, all of which fail, one of orders."""
    found = [
        one
        for number in range(10)
        for one in ran(
            f"a{number}",
            NOW - 60_000 + number * 100,
            ms=10.0 + number,
            error="Declined" if not number else "",
        )
    ]
    for number in range(5):
        found += ran(f"b{number}", NOW - 30_000 + number * 100, version="4", error="Broken", init=90.0)
    return [*found, *ran("c", NOW - 7_000_000, function="orders", version="$LATEST")]


@pytest.fixture
async def driven() -> AsyncIterator[Driven]:
    """Two functions, one with an alias over two versions; what they did."""
    feed = MockFeed()
    feed.invocations.lines = lines()
    feed.functions.given = [
        function_of("orders", Handler="app.orders"),
        function_of(Environment={"Variables": {"GATEWAY": "***"}}),
        *(function_of(version=version) for version in ("2", "3", "4")),
    ]
    feed.functions.abouts["payments"] = About((Alias("live", "3", (("4", 0.1),)),), 5, {"team": "pay"})
    feed.functions.throttled = {"payments": 7}
    app = dashboard(feed)
    async with shown(app, "4", FunctionsScreen, (140, 40)) as (pilot, _):
        found = Driven(app, pilot, feed)
        await until(pilot, lambda: found.screen.settled and len(found.shown) == 4)
        yield found


async def test_how_each_version_fares(driven: Driven) -> None:
    """Runs, errors, throttles, percentiles, cold starts, memory and cost of the window, each version apart."""
    assert driven.shown == ["orders:$LATEST", "payments:$LATEST", "payments:3", "payments:4"]
    three, four = driven.cells("payments", "3"), driven.cells("payments", "4")
    assert (three["runs"], three["errors"], three["cold"], three["free"]) == ("10", "10%", "0%", "50%")
    assert (four["runs"], four["errors"], four["cold"]) == ("5", "100%", "100%")
    assert driven.cells("payments", "$LATEST")["throttled"] == "7"
    assert three["p95"] in {"19 ms", "18 ms"}
    # Ten requests, and 10 to 19 ms each at 128 MB.
    assert three["cost"] == "$0.0000023"
    assert driven.cells("orders", "$LATEST")["runs"] == "0"


async def test_functions_that_share_a_group_have_rows_of_their_own() -> None:
    """By the names in their streams; each counts its own runs."""
    feed = MockFeed()
    group = "/aws/lambda/payments"
    feed.functions.given = [function_of(), replace(function_of("refunds"), group=group)]
    guest = [
        line._replace(group=group, stream=line.stream.replace("[", "refunds["))
        for line in ran("b", NOW - 5000, version="$LATEST")
    ]
    feed.invocations.lines = [*ran("a", NOW - 9000, version="$LATEST"), *guest]
    app = dashboard(feed)
    async with shown(app, "4", FunctionsScreen, (140, 40)) as (pilot, _):
        driven = Driven(app, pilot, feed)
        await until(pilot, lambda: driven.screen.settled and len(driven.shown) == 2)
        assert driven.shown == ["payments:$LATEST", "refunds:$LATEST"]
        assert [row.health.invocations for row in driven.screen.rows.values()] == [1, 1]


async def test_another_window(driven: Driven) -> None:
    """`w` looks further back: what ran two hours ago counts; throttles are asked for over the same stretch."""
    await driven.pilot.press("w")
    await until(driven.pilot, lambda: driven.cells("orders", "$LATEST")["runs"] == "1")
    assert driven.screen.window == "6h"
    assert driven.cells("payments", "3")["runs"] == "10"
    await until(driven.pilot, lambda: driven.feed.functions.windows[-1] == 6 * 3_600_000 + 1)


async def test_an_alias_with_the_failure_rate_of_each_side(driven: Driven) -> None:
    """The pane has both versions of an alias with their weights and how often each failed, and the configuration."""
    await driven.pilot.press("j")
    await until(driven.pilot, lambda: "live" in driven.told)
    rows = driven.told.splitlines()
    first = next(number for number, row in enumerate(rows) if row.startswith("live"))
    assert "90%" in rows[first]
    assert "10% failed of 10" in rows[first]
    assert "10%    100% failed of 5" in rows[first + 1]
    assert any(row.startswith("reserved") and "5 at once" in row for row in rows)
    assert any(row.startswith("environment") and "GATEWAY" in row for row in rows)
    assert any(row.startswith("tags") and "team=pay" in row for row in rows)


async def test_what_comes_is_counted(driven: Driven) -> None:
    """New invocations are in their version's row, a second later at most."""
    driven.feed.invocations.coming.put(ran("new", NOW - 100))

    def counted() -> bool:
        driven.screen.tick()
        return driven.cells("payments", "3")["runs"] == "11"

    await until(driven.pilot, counted)


async def test_orders_and_versions(driven: Driven) -> None:
    """`s` orders by runs, then by errors; `x` shows the versions that did not run; a click on a head orders too."""
    await driven.pilot.press("s")
    assert driven.shown[0] == "payments:3"
    await driven.pilot.press("s")
    assert driven.shown[0] == "payments:4"
    await driven.pilot.press("x")
    assert "payments:2" in driven.shown
    await driven.pilot.press("x")
    assert "payments:2" not in driven.shown
    await driven.pilot.click("#functions", offset=(3, 0))
    await until(driven.pilot, lambda: driven.screen.sort == "function")


async def test_a_filter(driven: Driven) -> None:
    """What is typed narrows the rows, by the errors' names too; Escape takes it away."""
    await driven.pilot.press("slash", *"Broken")
    await until(driven.pilot, lambda: driven.shown == ["payments:4"])
    await driven.pilot.press("escape")
    await until(driven.pilot, lambda: len(driven.shown) == 4)


async def test_from_a_function_to_its_invocations(driven: Driven) -> None:
    """Enter shows what ran of it, on the invocations screen."""
    await driven.pilot.press("enter")
    await until(driven.pilot, lambda: driven.app.current_mode == "invocations")
    await until(driven.pilot, lambda: [key[1] for key in rows_of(driven.app)] == ["c"])


async def test_the_configuration(driven: Driven) -> None:
    """`v` lays all of it out; `y` copies the ARN."""
    await driven.pilot.press("y")
    copied = driven.app.state / "copied.txt"
    await until(driven.pilot, copied.exists)
    assert copied.read_text().endswith("function:orders:$LATEST")
    await driven.pilot.press("v")
    await until(driven.pilot, lambda: isinstance(driven.app.screen, Page))


def rows_of(app: Dashboard) -> list[tuple[str, str]]:
    """The rows of the invocations screen, once it is drawn."""
    screen = app.get_screen_stack("invocations")[0]
    assert isinstance(screen, InvocationsScreen)
    return list(screen.grid.keys) if screen.drawn else []  # type: ignore[arg-type]


async def invoke(driven: Driven, key: str, typed: str) -> None:
    """Press the key, take the second sample, leave it as it is, answer the question with a word."""
    await driven.pilot.press("j", "j", key)
    await until(driven.pilot, lambda: isinstance(driven.app.screen, Samples))
    driven.app.screen.query_one(OptionList).highlighted = 1
    await driven.pilot.press("enter")
    await until(driven.pilot, lambda: isinstance(driven.app.screen, Editor))
    await driven.pilot.press("ctrl+s")
    await until(driven.pilot, lambda: isinstance(driven.app.screen, Confirm))
    asked = str(driven.app.screen.query_one("#what", Static).render())
    assert "payments:3 with 13 bytes" in asked
    await driven.pilot.press(*typed, "enter")


async def test_invoking_and_watching(driven: Driven) -> None:
    """A sample, edited, confirmed, is sent once to just that version; its invocation is opened as soon as it is there."""
    await invoke(driven, "I", "invoke")
    await until(
        driven.pilot, lambda: driven.feed.functions.done == [("payments", "3", '{"id": "p-1"}', False)]
    )
    await until(driven.pilot, lambda: driven.app.current_mode == "invocations")
    driven.feed.invocations.coming.put([*ran("r-new", NOW), *ran("r-other", NOW + 10)])
    screen = driven.app.get_screen_stack("invocations")[0]
    assert isinstance(screen, InvocationsScreen)
    await until(
        driven.pilot, lambda: screen.drawn and screen.grid.selected == ("/aws/lambda/payments", "r-new")
    )
    assert not driven.screen.running


async def test_queueing_an_event(driven: Driven) -> None:
    """`E` hands it over as an asynchronous event."""
    await invoke(driven, "E", "invoke")
    await until(
        driven.pilot, lambda: driven.feed.functions.done == [("payments", "3", '{"id": "p-1"}', True)]
    )


async def test_nothing_runs_unless_the_word_is_typed(driven: Driven) -> None:
    """Another word, or Escape at any step, leaves everything as it is."""
    await invoke(driven, "I", "yes")
    assert isinstance(driven.app.screen, Confirm)
    await driven.pilot.press("escape")
    await until(driven.pilot, lambda: driven.app.screen is driven.screen)
    await driven.pilot.press("I")
    await until(driven.pilot, lambda: isinstance(driven.app.screen, Samples))
    await driven.pilot.press("escape")
    await until(driven.pilot, lambda: driven.app.screen is driven.screen)
    assert driven.feed.functions.done == []


async def test_an_event_that_is_no_json_can_not_be_sent(driven: Driven) -> None:
    """The editor says what is wrong and keeps the text."""
    await driven.pilot.press("j", "I")
    await until(driven.pilot, lambda: isinstance(driven.app.screen, Samples))
    await driven.pilot.press("enter")
    await until(driven.pilot, lambda: isinstance(driven.app.screen, Editor))
    editor = driven.app.screen
    assert isinstance(editor, Editor)
    editor.area.text = '{"id": '
    await driven.pilot.press("ctrl+s")
    assert driven.app.screen is editor
    assert "Expecting value" in str(editor.query_one(".note", Static).render())


async def test_an_invocation_that_is_refused_is_told(driven: Driven) -> None:
    """The error is shown, and another try is possible."""
    driven.feed.functions.fail_with = OSError("no route to lambda")
    said: list[str] = []
    driven.app.notify = lambda message, **_: said.append(message)  # type: ignore[method-assign]
    driven.screen.notify = driven.app.notify  # type: ignore[method-assign]
    await invoke(driven, "I", "invoke")
    await until(driven.pilot, lambda: any("no route to lambda" in message for message in said))
    await until(driven.pilot, lambda: not driven.screen.running)


async def test_trouble_is_shown_and_overcome(driven: Driven) -> None:
    """A source that can't be read is named, and read again until it can."""
    driven.feed.functions.fail_with = OSError("no route to lambda")
    driven.screen.reader.retry_seconds = 0.01
    driven.screen.reader.again()
    await until(driven.pilot, lambda: "no route" in driven.screen.said)
    driven.feed.functions.fail_with = None
    await until(driven.pilot, lambda: "no route" not in driven.screen.said)


async def test_throttles_that_may_not_be_asked_for(driven: Driven) -> None:
    """Where CloudWatch refuses to tell, the row says that it is not known, not that there are none."""
    driven.feed.functions.throttled = None
    driven.screen.reader.again()
    await until(driven.pilot, lambda: driven.cells("payments", "$LATEST").get("throttled") == "?")


async def test_prices_are_settings() -> None:
    """What a user's prices say is what things cost."""
    feed = MockFeed()
    feed.invocations.lines = ran("a", NOW - 1000, ms=1000.0)
    app = dashboard(feed, price_gb_second_x86=0.8, price_million_requests=0.0)
    async with shown(app, "4", FunctionsScreen, (120, 30)) as (_, screen):
        cost = screen._paint(Who.of("payments", "/aws/lambda/payments", "3"))["cost"]
        assert cost[0].text == "$0.10"


async def test_hostile_configurations_do_no_harm() -> None:
    """Names, descriptions and tags with control characters and markup are text; a megabyte of them is a line."""
    bad = "\x1b[2J\u202e[red]" * 60_000
    feed = MockFeed()
    feed.functions.given = [function_of(Handler=bad, Description=bad)]
    feed.functions.abouts["payments"] = About((Alias(bad, "3", (("4", 0.5),)),), None, {bad: bad})
    app = dashboard(feed)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: app.current_mode == "functions" and app.settled)
        drawn = app.export_screenshot()
        for character in ("\x1b", "\u202e"):
            assert character not in drawn
        assert "[red]" in drawn.replace("&#160;", " ")
