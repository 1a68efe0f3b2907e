"""lambdalog dashboard."""

from __future__ import annotations

import gc
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lambdalog.cli.options import open_cloud, store_option
from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud

# So many more objects than the last time are looked through for garbage: lines that are kept are none. Many more at once
# would hold a key up.
GARBAGE = 5_000
SCREENS = ("logs", "invocations", "failures", "functions", "queues")


@click.command(name="dashboard")
@click.argument("groups", nargs=-1, metavar="[GROUP]...")
@click.option("--screen", type=click.Choice(SCREENS), help="The one to begin with.")
@click.option(
    "--screenshot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.svg",
    help="Draw it into a file.",
)
@click.option("--size", default="120x36", show_default=True, metavar="COLSxROWS", help="Of the screenshot.")
@click.option("--web", is_flag=True, help="In a browser on this machine, instead of this terminal.")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8765, show_default=True, help="Of --web, on loopback."
)
@store_option
def command(
    groups: tuple[str, ...],
    screen: str | None,
    screenshot: Path | None,
    size: str,
    web: bool,
    port: int,
    store: str | None,
) -> None:
    """Logs and failures of a store or of AWS, live. GROUPs as in `lambdalog tail`.

    Inside, `?` shows the keys. Settings: ~/.config/lambdalog/dashboard.toml, described in docs/dashboard.md.
    """
    found = re.fullmatch(r"(\d{2,3})x(\d{2,3})", size)
    if found is None:
        raise click.UsageError(f"--size {size}: write it as 120x36")
    if web:
        if screenshot is not None:
            raise click.UsageError("--web draws in a browser, --screenshot into a file; choose one")
        _serve(groups, screen, port, store)
        return
    with open_cloud(store) as cloud:
        if screenshot is None:
            show(cloud, groups, screen=screen or "")
            return
        import asyncio

        from tui.app import screenshot as draw
        from tui.feed import StoreFeed

        feed = StoreFeed(cloud, groups)
        try:
            drawn = asyncio.run(
                draw(feed, (int(found.group(1)), int(found.group(2))), screen=screen or "logs")
            )
        finally:
            feed.close()
        try:
            screenshot.write_text(drawn, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"the screenshot can't be written to {screenshot}: {error.strerror}") from None
        click.echo(f"wrote {screenshot}")


def _serve(groups: tuple[str, ...], screen: str | None, port: int, store: str | None) -> None:
    """Each tab of a browser has a dashboard of its own: this command again, in a process that the browser drives."""
    open_cloud(store).close()  # what is wrong with the store is said here, not in a browser
    try:
        from tui.web import serve
    except ImportError:
        raise ConfigError("--web needs textual-serve: pip install 'lambdalog[web]'") from None
    # -P: what lies in the folder that the user is in is no module of ours.
    command = [sys.executable, "-P", "-m", "lambdalog", "dashboard", *groups]
    if screen:
        command += ["--screen", screen]
    if store:
        command += ["--store", store]
    serve(command, port, click.echo)


def show(cloud: Cloud, groups: tuple[str, ...] = (), *, screen: str = "") -> None:
    """Open the dashboard on a cloud, until it is quit."""
    # What is imported and made at the start stays: looked through for cycles again and again, it takes a seventh longer.
    gc.disable()
    from tui import early as first
    from tui import session as sessions
    from tui.feed import StoreFeed
    from tui.settings import load, state_folder

    settings = load()
    feed = StoreFeed(cloud, groups)
    try:
        kept = settings.restore_session
        session = sessions.load(state_folder(os.environ), feed.label) if kept else sessions.Session()
        early = first.Beginning(partial(first.read, feed, settings, session, screen, cloud.clock))
        found = early.wait(first.PATIENCE_SECONDS)
        with first.drawn(found, settings, session, sys.__stderr__, os.environ):  # where Textual draws, too
            from tui.app import Dashboard

            app = Dashboard(feed, settings=settings, screen=screen, early=early)
            gc.freeze()
            gc.set_threshold(GARBAGE, 50, 200)
            gc.enable()
            app.run(mouse=settings.mouse)
        if app.return_code:
            sys.exit(app.return_code)
    finally:
        gc.enable()
        feed.close()
