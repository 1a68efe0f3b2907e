"""lambdalog tail."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import click

from lambdalog.cli.options import interactive, open_cloud, store_option, write_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.tail import Line, Source

# A page bounds memory however much there is to print.
PAGE = 5000


@click.command(name="tail")
@click.argument("groups", nargs=-1, metavar="[GROUP]...")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes.")
@click.option(
    "--since", default="10m", show_default=True, help="From when: 10m, '2h ago', 'yesterday 14:00', ISO."
)
@click.option("--until", help="Up to when.")
@click.option("--filter", "pattern", metavar="PATTERN", help="A CloudWatch filter pattern.")
@click.option("--stream", metavar="PREFIX", help="Only streams whose name begins so.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "raw"]), default="text", show_default=True
)
@store_option
def command(
    groups: tuple[str, ...],
    follow: bool,
    since: str,
    until: str | None,
    pattern: str | None,
    stream: str | None,
    form: str,
    store: str | None,
) -> None:
    """Print log lines of GROUPs, merged by time. A GROUP is a name, a function's name or a glob; none means all."""
    from lambdalog.query.pattern import parse
    from lambdalog.tail import open_source
    from lambdalog.tail.when import parse_time

    now = time.time()
    start, end = parse_time(since, now), parse_time(until, now) if until else None
    if follow and end is not None:
        raise click.UsageError("--follow goes on for ever; --until says when to stop. Give one of them.")
    with open_cloud(store) as cloud:
        source = open_source(
            cloud, groups=groups, stream_prefix=stream, pattern=parse(pattern) if pattern else None
        )
        show = _shower(form)
        if follow:
            _follow(source, start, show)
        else:
            _pages(source, start, end, show)
            if groups and not source.groups():
                raise click.ClickException(
                    f"no log group is called {' or '.join(groups)}; see them with: lambdalog tail"
                )


def _shower(form: str) -> Callable[[Line], str]:
    from lambdalog.tail.render import as_json, as_text

    if form == "json":
        return as_json
    if form == "raw":
        return lambda line: line.message.rstrip("\n")
    colour = "NO_COLOR" not in os.environ and (interactive() or "FORCE_COLOR" in os.environ)
    return lambda line: as_text(line, colour=colour)


def _pages(source: Source, start: int, end: int | None, show: Callable[[Line], str]) -> None:
    shown: set[str] = set()
    while True:
        page = source.page(start, end, PAGE + len(shown))
        for line in page:
            if line.id not in shown:
                write_line(show(line))
        if len(page) < PAGE + len(shown):
            return
        # The next page begins with this moment's lines once more; their ids tell which were printed.
        last = page[-1].timestamp
        shown = {line.id for line in page if line.timestamp == last} | (shown if last == start else set())
        start = last


def _follow(source: Source, start: int, show: Callable[[Line], str]) -> None:
    following = source.follow(start)
    try:
        while True:
            for line in following.poll(0.5):
                write_line(show(line))
            for note in following.notes():
                print(f"lambdalog: {note}", file=sys.stderr)
    finally:
        following.close()
