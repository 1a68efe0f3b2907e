"""The dashboard at its work, recorded: `python -m tui.recording docs` makes the tour, and a picture of each screen.

Runs the samples under traffic in a store of its own, drives a dashboard on it as a user would, and keeps what is on the
screen after each step.
"""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.segment import Segment

from lambdalog import connect
from tui import film
from tui.app import Dashboard
from tui.feed import StoreFeed
from tui.manual import STILL
from tui.settings import Settings

if TYPE_CHECKING:
    from textual.pilot import Pilot

SIZE: Final = (120, 34)
BACKGROUND: Final = "#161821"
TRAFFIC_SECONDS: Final = 90
WARM_SECONDS: Final = 12.0
TOUR: Final = "dashboard-tour.svg"
# After so many steps of the script (the first is 1) a screen is at its best: its picture is taken.
STILLS: Final = {10: "logs", 12: "invocations", 15: "failures", 21: "functions", 23: "queues"}
# Keys, and for how many seconds the screen is shown that they lead to.
SCRIPT: Final[tuple[tuple[tuple[str, ...], float], ...]] = (
    ((), 1.2),
    ((), 1.2),
    ((), 1.2),
    (("slash",), 0.6),
    (("p", "a", "y"), 0.5),
    (("m", "e", "n", "t"), 1.2),
    (("enter",), 1.0),
    (("p",), 0.8),
    (("E",), 1.0),
    (("enter",), 2.0),
    (("escape", "2"), 1.5),
    (("down", "down"), 1.0),
    (("enter",), 2.0),
    (("3",), 1.5),
    (("down",), 2.0),
    (("R",), 1.5),
    (("r", "e", "p", "l", "a", "y"), 0.8),
    (("enter",), 0.4),
    ((), 0.6),
    ((), 1.6),
    (("4",), 2.5),
    (("5",), 1.5),
    (("down", "down"), 2.0),
    (("1", "escape", "end"), 1.5),
)


def shown(app: Dashboard, seconds: float, hide: dict[str, str]) -> film.Frame:
    """What is on the screen. `hide`: texts that say where this machine keeps its files, and what stands for them."""
    width, height = app.size
    console = Console(
        width=width,
        height=height,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
    )
    console.print(app.screen._compositor.render_update(full=True, screen_stack=app._background_screens))  # noqa: SLF001 - as Textual's own screenshots do
    segments = [_without(segment, hide) for segment in console._record_buffer]  # noqa: SLF001 - as its own export does
    return film.frame((segment for segment in segments if not segment.control), app.size, seconds)


def _without(segment: Segment, hide: dict[str, str]) -> Segment:
    text = segment.text
    for secret, stands in hide.items():
        if secret in text:
            # As wide as before, so that nothing beside it moves.
            text = text.replace(secret, stands).ljust(len(text))
    return Segment(text, segment.style, segment.control)


async def tour(feed: StoreFeed, hide: dict[str, str]) -> list[film.Frame]:
    """The frames of the script."""
    app = Dashboard(feed, settings=replace(Settings(), restore_session=False, theme="lambdalog"))
    frames: list[film.Frame] = []
    async with app.run_test(size=SIZE) as pilot:
        await _settle(pilot, app)
        for keys, seconds in SCRIPT:
            for key in keys:
                await pilot.press(key)
            await _settle(pilot, app)
            frames.append(shown(app, seconds, hide))
    return frames


async def _settle(pilot: Pilot[None], app: Dashboard) -> None:
    for _ in range(100):
        await pilot.pause(0.05)
        if app.settled:
            break
    await pilot.pause(0.6)


def main(docs: Path) -> None:
    """Record, and write down the tour and the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "lambdalog",
            "demo",
            "--headless",
            str(TRAFFIC_SECONDS),
            "--keep",
            folder,
        ]
        traffic = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            frames = asyncio.run(_record(Path(folder)))
        finally:
            traffic.terminate()
            traffic.wait()
    (docs / TOUR).write_text(film.svg(frames, SIZE, BACKGROUND), encoding="utf-8")
    for number, name in STILLS.items():
        still = film.svg([frames[number - 1]], SIZE, BACKGROUND)
        (docs / STILL.format(name)).write_text(still, encoding="utf-8")


async def _record(folder: Path) -> list[film.Frame]:
    await asyncio.sleep(WARM_SECONDS)
    hide = {str(Path.cwd()): "~/lambdalog", sys.prefix: "~/.venv", str(folder): "demo"}
    with connect(f"disk:{folder}") as cloud:
        feed = StoreFeed(cloud)
        try:
            return await tour(feed, hide)
        finally:
            feed.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
