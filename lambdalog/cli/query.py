"""lambdalog query."""

from __future__ import annotations

import json
import re
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import click

from lambdalog.cli.options import console, interactive, json_option, open_cloud, store_option, write_line
from lambdalog.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lambdalog.cloud import Cloud

    Row = list[tuple[str, str]]

# "You can query up to 50 log groups" at AWS; a store on disk has no such limit.
_AWS_GROUPS_MAX: Final = 50
_POLL_SECONDS: Final = 1.0
_SHOW_SECONDS: Final = 0.1
_POINTER: Final = "@ptr"
# Such a query names its groups itself, and AWS takes no others beside them.
_SOURCE: Final = re.compile(r"\s*SOURCE\b", re.IGNORECASE)


@click.command(name="query")
@click.argument("groups", nargs=-1, metavar="[GROUP]...")
@click.argument("query", metavar="QUERY")
@click.option(
    "--since", default="1h", show_default=True, help="From when: 10m, '2h ago', 'yesterday 14:00', ISO."
)
@click.option("--until", help="Up to when.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=10_000,
    show_default=True,
    help="Most rows, if QUERY has no limit.",
)
@json_option
@store_option
def command(
    groups: tuple[str, ...],
    query: str,
    since: str,
    until: str | None,
    limit: int,
    as_json: bool,
    store: str | None,
) -> None:
    """Ask the logs of GROUPs in the language of CloudWatch Logs Insights.

    A GROUP is a name, a function's name or a glob; none means all.

    \b
    lambdalog query orders 'filter level = "ERROR" | stats count(*) by bin(5m)'
    lambdalog query 'filter @type = "REPORT" | stats pct(@duration, 99) by @log'
    """  # noqa: D301 - click's own mark
    from lambdalog.errors import QueryError
    from lambdalog.query.insights import read
    from lambdalog.tail import open_source
    from lambdalog.tail.wanted import select
    from lambdalog.tail.when import parse_time

    now = time.time()
    start = parse_time(since, now)
    end = parse_time(until, now) if until else round(now * 1000) + 1
    if start >= end:
        raise click.UsageError(f"--until {until} is not after --since {since}.")
    with open_cloud(store) as cloud:
        if cloud.store is not None:  # AWS knows more of its language than is evaluated here
            try:
                read(query)
            except QueryError as error:
                raise click.UsageError(_pointed(query, error)) from None
        sourced = cloud.store is None and not groups and _SOURCE.match(query) is not None
        names = [] if sourced else select(open_source(cloud, groups=groups).groups(), groups)
        if not names and not sourced:
            raise click.ClickException("there are no log groups yet")
        with _progress() as told:
            evaluate = _on_aws if cloud.store is None else _on_disk
            rows = evaluate(cloud, names, query, start, end, limit, told)
            if as_json:
                for row in rows:
                    write_line(json.dumps(dict(row)))
                return
            found = [[(name, value) for name, value in row if name != _POINTER] for row in rows]
    _show(found)


def _on_disk(
    cloud: Cloud,
    groups: list[str],
    query: str,
    start: int,
    end: int,
    limit: int,
    told: Callable[[float], None],
) -> Iterator[Row]:
    from lambdalog.query.insights import Run, read

    assert cloud.store is not None

    def stopped() -> bool:
        told(run.statistics.scanned)
        return False

    run = Run(read(query), cloud.store, groups, start=start, end=end, limit=limit, stopped=stopped)
    yield from run.rows()


def _on_aws(
    cloud: Cloud,
    groups: list[str],
    query: str,
    start: int,
    end: int,
    limit: int,
    told: Callable[[float], None],
) -> Iterator[Row]:
    from botocore.exceptions import ClientError

    if len(groups) > _AWS_GROUPS_MAX:
        raise click.ClickException(
            f"AWS queries at most {_AWS_GROUPS_MAX} groups at once, and these are {len(groups)}; name fewer"
        )
    # Seconds, both inclusive.
    named: dict[str, Any] = {"logGroupNames": groups} if groups else {}
    query_id = cloud.logs.start_query(
        **named,
        startTime=start // 1000,
        endTime=(end - 1) // 1000,
        queryString=query,
        limit=limit,
    )["queryId"]
    ended = False
    try:
        while True:
            response = cloud.logs.get_query_results(queryId=query_id)
            told(response.get("statistics", {}).get("recordsScanned", 0.0))
            if response["status"] not in {"Scheduled", "Running"}:
                break
            cloud.clock.sleep(_POLL_SECONDS)
        ended = True
    finally:
        if not ended:
            with suppress(ClientError):  # it has ended by itself meanwhile
                cloud.logs.stop_query(queryId=query_id)
    if response["status"] != "Complete":
        raise click.ClickException(
            f"the query ended as {response['status']}; try a shorter time, or fewer groups"
        )
    while True:
        for row in response["results"]:
            yield [(cell["field"], cell["value"]) for cell in row]
        token = response.get("nextToken")
        if not token:
            return
        response = cloud.logs.get_query_results(queryId=query_id, nextToken=token)


def _pointed(query: str, error: Any) -> str:
    """What is wrong, and below it where."""
    line_start = query.rfind("\n", 0, error.position) + 1
    line = query[line_start:].partition("\n")[0]
    width = max(min(error.end, line_start + len(line)) - error.position, 1)
    return f"{error}\n  {printable(line)}\n  {' ' * (error.position - line_start)}{'^' * width}"


def _show(rows: Iterable[Row]) -> None:
    """A table for a person; for a program, columns with tabs between them."""
    found = list(rows)
    names = list(dict.fromkeys(name for row in found for name, _ in row))
    if not found:
        if interactive():
            print("Nothing was found.", file=sys.stderr)
        return
    if not interactive():
        write_line("\t".join(map(_flat, names)))
        for row in found:
            values = dict(row)
            write_line("\t".join(_flat(values.get(name, "")) for name in names))
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        numbers = all(_is_number(value) for row in found for key, value in row if key == name)
        table.add_column(printable(name), justify="right" if numbers else "left", overflow="fold")
    for row in found:
        values = dict(row)
        table.add_row(*(printable(values.get(name, "").rstrip("\n")) for name in names))
    console().print(table, soft_wrap=False)


def _flat(text: str) -> str:
    return printable(text.rstrip("\n").replace("\n", " ⏎ ").replace("\t", " "))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@contextmanager
def _progress() -> Iterator[Callable[[float], None]]:
    """How many events were looked at, on the terminal of whoever waits."""
    if not interactive(sys.stderr):
        yield lambda _: None
        return
    with console(stderr=True).status("Reading…") as shown:
        last = time.monotonic()

        def told(count: float) -> None:
            nonlocal last
            if time.monotonic() - last > _SHOW_SECONDS:
                last = time.monotonic()
                shown.update(f"{count:,.0f} events read")

        yield told
