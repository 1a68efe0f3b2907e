"""lambdalog tail."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from lambdalog.cli.options import interactive, open_cloud, store_option, write_line
from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lambdalog.cloud import Cloud
    from lambdalog.errors import LambdalogError
    from lambdalog.query.pattern import Pattern
    from lambdalog.tail import Line, Source
    from lambdalog.tail.render import Shown

# How long a look for new lines takes at most: then notes are shown, and whether anybody still reads is asked.
POLL_SECONDS: Final = 0.5
_DAY_MS: Final = 86_400_000


@click.command(name="tail")
@click.argument("groups", nargs=-1, metavar="[GROUP]...")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes.")
@click.option(
    "--since", default="10m", show_default=True, help="From when: 10m, '2h ago', 'yesterday 14:00', ISO."
)
@click.option("--until", help="Up to when.")
@click.option("--filter", "--grep", "pattern", metavar="PATTERN", help="A CloudWatch filter pattern.")
@click.option(
    "--stream", metavar="NAME", help="Only streams whose name begins so, or fits a glob: '*/[$LATEST]*'."
)
@click.option(
    "--request", metavar="ID", help="Only this request: all its lines, also those that don't name it."
)
@click.option(
    "-C",
    "--context",
    type=click.IntRange(0, 10_000),
    default=0,
    metavar="N",
    help="With N lines of the same stream before and after each that --filter or --request finds.",
)
@click.option("--fold", is_flag=True, help="START, END and REPORT as one line an invocation.")
@click.option(
    "-n", "--lines", "last", type=click.IntRange(1), metavar="N", help="Only the last N, of what there is."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "pretty", "json", "raw"]),
    default="text",
    show_default=True,
    help="pretty: of JSON lines what they say, of failures the stack.",
)
@click.option(
    "--live/--no-live",
    default=True,
    help="On AWS, follow the busiest of many groups by Live Tail, which AWS charges by the minute.  [default: live]",
)
@store_option
def command(
    groups: tuple[str, ...],
    follow: bool,
    since: str,
    until: str | None,
    pattern: str | None,
    stream: str | None,
    request: str | None,
    context: int,
    fold: bool,
    last: int | None,
    form: str,
    live: bool,
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
    if follow and last is not None:
        raise click.UsageError("--lines is for what there is; with --follow, --since says where to begin.")
    if end is not None and end <= start:
        raise click.UsageError(f"--until {until} is not after --since {since}: there is nothing in between.")
    if request is not None and not request.strip():
        raise click.UsageError("--request takes a request id; this one is empty.")
    asked = parse(pattern) if pattern else None
    if context and asked is None and request is None:
        raise click.UsageError("--context shows what is around the lines that --filter or --request finds.")
    view = View(form, asked, request, context, fold=fold)
    with open_cloud(store) as cloud:
        # What is near to a match need not match: with --context, following looks at every line.
        narrow = not (follow and context)
        source = open_source(
            cloud,
            groups=groups,
            streams=stream or "",
            pattern=asked if narrow else None,
            request=request if narrow else None,
            live=live,
        )
        if follow:
            with kept_up(cloud):
                _follow(source, groups, start, view)
            return
        shown = view.folded(view.page(source, start, end))
        view.write(shown if last is None else deque(shown, last))
        _say(source.notes())
        if not view.anything or len(groups) > 1:
            names = source.groups()
            _missing(names, groups, cloud)
            if names and not view.anything and sys.stderr.isatty():
                further = "; --since 1d looks further back" if start > round(now * 1000) - _DAY_MS else ""
                _say([f"no such line since {since}{further}"])


class View:
    """How lines are shown."""

    def __init__(
        self, form: str, pattern: Pattern | None, request: str | None, context: int, *, fold: bool
    ) -> None:
        from lambdalog.tail.folding import Folding

        self.anything = False
        self._form = _shower(form)
        self._gaps = form != "json"
        self._pattern = pattern
        self._request = request
        self._context = context
        self._folding = Folding() if fold else None

    def page(self, source: Source, start: int, end: int | None) -> Iterator[Shown]:
        """What there is, with what is around it if that was asked for."""
        from lambdalog.tail.context import around
        from lambdalog.tail.render import Shown

        lines = source.lines(start, end)
        if self._context:
            return around(lines, self._context, self._matcher(), source)
        return map(Shown, lines)

    def coming(self) -> Callable[[Line], Iterable[Shown]]:
        """What to show as lines come, one after another."""
        from lambdalog.tail.context import Following
        from lambdalog.tail.render import Shown

        if self._context:
            return Following(self._context, self._matcher()).take
        return lambda line: (Shown(line),)

    def folded(self, lines: Iterable[Shown], *, last: bool = True) -> Iterator[Shown]:
        """The lines, those of each invocation folded if that was asked for; `last`: no more will come."""
        if self._folding is None:
            yield from lines
            return
        for shown in lines:
            yield from self._folding.take(shown)
        if last:
            yield from self._folding.rest()

    def write(self, lines: Iterable[Shown]) -> None:
        """Print lines."""
        for shown in lines:
            if shown.gap and self._gaps:
                write_line("--")
            write_line(self._form(shown))
            self.anything = True

    def _matcher(self) -> Callable[[Line], bool]:
        from lambdalog.tail.request import Belonging

        belongs = Belonging(self._request) if self._request is not None else None
        pattern = self._pattern

        def matches(line: Line) -> bool:
            own = belongs is None or belongs(line)
            return own and (pattern is None or pattern.matches(line.message))

        return matches


def _shower(form: str) -> Callable[[Shown], str]:
    if form == "json":
        return lambda shown: shown.json()
    if form == "raw":
        return lambda shown: shown.raw()
    colour = not os.environ.get("NO_COLOR") and (interactive() or "FORCE_COLOR" in os.environ)
    if form == "pretty":
        return lambda shown: shown.pretty(colour=colour)
    return lambda shown: shown.text(colour=colour)


def _missing(names: list[str], groups: tuple[str, ...], cloud: Cloud) -> None:
    """Say which of `groups` mean none of the groups that are read. ConfigError if there are none."""
    from lambdalog.tail.wanted import matcher

    if not names:
        if groups:
            raise ConfigError(
                f"no log group is called {' or '.join(groups)}; see them with: lambdalog group list"
            )
        _say([f"there are no log groups in {cloud.target}"])
    for given in groups:
        if names and not any(map(matcher([given]), names)):
            _say([f"no log group is called {given}; see them with: lambdalog group list"])


def _follow(source: Source, groups: tuple[str, ...], start: int, view: View) -> None:
    if groups and not source.groups():
        _say([f"no log group is called {' or '.join(groups)} yet; waiting for it"])
    take = view.coming()
    following = source.follow(start)
    try:
        while not _deserted():
            lines = following.poll(POLL_SECONDS)
            view.write(view.folded((shown for line in lines for shown in take(line)), last=False))
            _say(following.notes())
    finally:
        following.close()


@contextmanager
def kept_up(cloud: Cloud) -> Iterator[None]:
    """Meanwhile seal, each minute, what is no longer written, and remove what has expired: who only writes never does.

    On AWS nothing is to be done. It is left where it stands in the end, which harms a store as little as a killed process.
    """
    if cloud.store is None:
        yield
        return
    from lambdalog.store.keeping import keep_up

    stop = threading.Event()

    def failed(error: LambdalogError) -> None:
        _say([f"upkeep of the store failed, and is tried again: {error}"])

    threading.Thread(
        target=keep_up, args=(cloud.store, stop), kwargs={"failed": failed}, name="upkeep", daemon=True
    ).start()
    try:
        yield
    finally:
        stop.set()


def _say(notes: list[str]) -> None:
    from lambdalog.printable import printable

    for note in notes:
        print(f"lambdalog: {printable(note)}", file=sys.stderr, flush=True)


def _deserted() -> bool:
    """Whether standard output is a pipe whose reader has gone: a quiet follower would never write, and never know."""
    try:
        asked = select.poll()
        asked.register(sys.stdout.fileno(), 0)
        return any(event & (select.POLLERR | select.POLLNVAL) for _, event in asked.poll(0))
    except (OSError, ValueError, AttributeError):
        return False  # no file, or no such call here
