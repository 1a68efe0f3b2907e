"""lambdalog function cost: what functions' invocations cost, by their REPORT lines and a price list."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli.options import json_option, open_cloud, store_option
from lambdalog.cli.records import every, json_line, show_table
from lambdalog.prices import MONTH_MS, VARIABLES, Prices, cost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambdalog.cloud import Cloud
    from lambdalog.health import Health
    from lambdalog.invocations import Mark

# REPORT in either log format: nothing else says what is billed.
_PATTERN = '?"REPORT RequestId: " ?"platform.report"'


@dataclass(frozen=True, slots=True)
class Cost:
    """What a version's invocations cost in a stretch of time: US dollars, and as many a month of 30 days at its pace."""

    function: str
    version: str
    invocations: int
    cold_starts: int
    gb_seconds: float
    cost: float
    monthly: float


def cost_of(
    function: str, version: str, health: Health, *, prices: Prices, architecture: str, milliseconds: int
) -> Cost:
    """The cost of what is known of a version from so many milliseconds."""
    dollars = cost(
        prices, requests=health.invocations, gb_seconds=health.gb_seconds, architecture=architecture
    )
    return Cost(
        function,
        version,
        health.invocations,
        health.cold,
        health.gb_seconds,
        dollars,
        dollars * MONTH_MS / milliseconds,
    )


def _price(option: str, name: str, of_what: str) -> Callable[[Any], Any]:
    """An option for one of `Prices`' fields."""
    return click.option(
        option,
        name,
        type=click.FloatRange(min=0),
        default=getattr(Prices(), name),
        envvar=VARIABLES[name],
        show_envvar=True,
        help=f"US dollars {of_what}",
    )


@click.command(name="cost")
@click.argument("functions", metavar="[FUNCTION]...", nargs=-1)
@click.option(
    "--since", default="24h", show_default=True, help="From when: 10m, '2h ago', 'yesterday 14:00', ISO."
)
@click.option("--until", default="now", show_default=True, help="Up to when.")
@_price(
    "--gb-second", "gb_second_x86", "a GB-second on x86. Without a price: AWS's of us-east-1, first tier."
)
@_price("--gb-second-arm", "gb_second_arm", "a GB-second on arm.")
@_price("--million-requests", "million_requests", "a million requests.")
@json_option
@store_option
def command(
    functions: tuple[str, ...],
    since: str,
    until: str,
    gb_second_x86: float,
    gb_second_arm: float,
    million_requests: float,
    as_json: bool,
    store: str | None,
) -> None:
    """What invocations cost, or would on AWS: each version's GB-seconds and requests at a price list; of all functions, or some.

    An estimate: what Lambda bills by the REPORT lines in the log, without tiers, storage, transfer or other services.
    """
    from lambdalog.health import Book
    from lambdalog.health.book import MINUTE_MS
    from lambdalog.tail.group import of_function
    from lambdalog.tail.when import parse_time

    prices = Prices(gb_second_x86, gb_second_arm, million_requests)
    found: list[Cost] = []
    with open_cloud(store) as cloud:
        now = cloud.clock.now()
        start, end = parse_time(since, now), parse_time(until, now)
        if end <= start:
            raise click.UsageError(f"--until {until} is not after --since {since}.")
        for config in _functions(cloud.lambda_, functions):
            # Whole minutes are kept of each version: as many as the stretch has, and the two at its ends.
            book = Book(minutes=(end - start) // MINUTE_MS + 2)
            book.add(_reports(cloud, config["FunctionName"], of_function(config), start, end))
            found += [
                cost_of(
                    config["FunctionName"],
                    who.version or "-",
                    book.health(who, start, end),
                    prices=prices,
                    architecture=config.get("Architectures", ["x86_64"])[0],
                    milliseconds=end - start,
                )
                for who in book.who()
            ]
    if as_json:
        for one in found:
            json_line(asdict(one))
    elif found:
        _show(found)
    else:
        click.echo(f"Nothing was invoked since {since}.")


def _functions(client: Any, names: tuple[str, ...]) -> list[dict[str, Any]]:
    if not names:
        return list(every(client, "list_functions", "Functions"))
    return [client.get_function_configuration(FunctionName=name) for name in names]


def _reports(cloud: Cloud, function: str, group: str, start: int, end: int) -> Iterator[Mark]:
    """The REPORT lines of a function in its group with `start` ≤ time < `end`, epoch ms; of a group that isn't there, none."""
    from lambdalog.invocations.marks import is_of, mark_of
    from lambdalog.tail.filtered import filtered

    found = filtered(cloud, group, filterPattern=_PATTERN, startTime=start, endTime=end - 1)
    try:
        for line in found:
            mark = mark_of(line)
            if mark is not None and mark.kind == "report" and is_of(mark.stream, function):
                yield mark
    except cloud.logs.exceptions.ResourceNotFoundException:
        return


def _show(costs: list[Cost]) -> None:
    rows: list[tuple[object, ...]] = [
        (
            one.function,
            one.version,
            f"{one.invocations:,}",
            f"{one.cold_starts:,}",
            f"{one.gb_seconds:,.3f}",
            f"${one.cost:.6f}",
            f"${one.monthly:,.2f}",
        )
        for one in costs
    ]
    if len(costs) > 1:
        rows.append(
            (
                "all",
                "",
                f"{sum(one.invocations for one in costs):,}",
                f"{sum(one.cold_starts for one in costs):,}",
                f"{sum(one.gb_seconds for one in costs):,.3f}",
                f"${sum(one.cost for one in costs):.6f}",
                f"${sum(one.monthly for one in costs):,.2f}",
            )
        )
    show_table(("function", "version", "invocations", "cold starts", "GB-seconds", "cost", "a month"), rows)
