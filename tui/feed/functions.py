"""Functions for the dashboard: what there are, how they are configured, what was throttled, and invoking one."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from lambdalog.denied import denied
from lambdalog.local.events.samples import SAMPLES
from lambdalog.server.client import served_client
from lambdalog.tail.group import of_function
from tui.feed.failures import StoreFailures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.cloud import Cloud
    from tui.feed.failures import Letters

__all__ = ["About", "Alias", "Answer", "Function", "Functions", "Sample", "StoreFunctions"]

# Sample events that lie beside a function's code; what is larger is no event one wants to edit.
OWN_MAX: Final = 20
OWN_BYTES_MAX: Final = 256_000
PAYLOAD_SHOWN_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Function:
    """A version of a function. `config` is as ListFunctions gives it, with the environment's values masked."""

    name: str
    version: str
    group: str
    config: dict[str, Any] = field(compare=False)

    @property
    def architecture(self) -> str:
        """x86_64 or arm64."""
        return next(iter(self.config.get("Architectures") or ()), "x86_64")


class Alias(NamedTuple):
    """An alias: its version, and the second ones with their weights, 0 to 1."""

    name: str
    version: str
    more: tuple[tuple[str, float], ...]

    @property
    def sides(self) -> list[tuple[str, float]]:
        """Each version with its share of the invocations."""
        taken = sum(weight for _, weight in self.more)
        return [(self.version, 1 - taken), *self.more]


class About(NamedTuple):
    """What is known of a function beyond its list entry; `reserved` None: its concurrency is not reserved."""

    aliases: tuple[Alias, ...]
    reserved: int | None
    tags: dict[str, str]


class Sample(NamedTuple):
    """An event to invoke with, as JSON text."""

    name: str
    text: str


class Answer(NamedTuple):
    """How an invocation was answered. `error` is "" or Unhandled; `said` the payload, cut; `note` what else to know."""

    request_id: str
    version: str
    error: str
    said: str
    note: str = ""


class Functions(Protocol):
    """Functions of a store or of AWS. Methods block."""

    def functions(self) -> list[Function]:
        """All versions of all functions, by name."""
        ...

    def about(self, name: str) -> About:
        """Aliases, concurrency and tags of a function."""
        ...

    def throttles(self, start: int, end: int) -> dict[str, int] | None:
        """Function → how often it was throttled, `start` ≤ time < `end` (epoch ms). None where that may not be asked."""
        ...

    def samples(self, name: str) -> list[Sample]:
        """Events to invoke a function with: its last failed one, those beside its code, those of AWS's services."""
        ...

    def invoke(self, name: str, qualifier: str, event: str, *, asynchronous: bool) -> Answer:
        """Run a function and wait, or queue the event."""
        ...


class StoreFunctions:
    """Asks a `Cloud`'s Lambda."""

    def __init__(self, cloud: Cloud, letters: Letters | None = None) -> None:
        self._cloud = cloud
        self._letters = letters or StoreFailures(cloud)

    def functions(self) -> list[Function]:
        """All versions of all functions, by name."""
        return [
            Function(config["FunctionName"], config["Version"], of_function(config), masked(config))
            for config in self._items("list_functions", "Functions", FunctionVersion="ALL")
        ]

    def about(self, name: str) -> About:
        """Three questions; a function that was deleted since it was listed raises ResourceNotFoundException."""
        aliases = [
            Alias(
                one["Name"],
                one["FunctionVersion"],
                tuple(one.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}).items()),
            )
            for one in self._items("list_aliases", "Aliases", FunctionName=name)
        ]
        found: Any = self._cloud.lambda_.get_function(FunctionName=name)
        reserved = found.get("Concurrency", {}).get("ReservedConcurrentExecutions")
        return About(tuple(aliases), reserved, dict(found.get("Tags", {})))

    def throttles(self, start: int, end: int) -> dict[str, int] | None:
        """From the store's own notes, or CloudWatch's metric AWS/Lambda Throttles."""
        if self._cloud.store is not None:
            return Counter(one.function for one in self._cloud.client("lambda").throttles.since(start, end))
        client = self._cloud.client("cloudwatch")
        query = {
            "Id": "throttles",
            "Expression": "SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Throttles\"', 'Sum', 300)",
            "Label": "${PROP('Dim.FunctionName')}",
        }
        counts: Counter[str] = Counter()
        try:
            pages = client.get_paginator("get_metric_data").paginate(
                MetricDataQueries=[query],
                StartTime=datetime.fromtimestamp(start / 1000, UTC),
                EndTime=datetime.fromtimestamp(end / 1000, UTC),
            )
            for page in pages:
                for series in page["MetricDataResults"]:
                    counts[series["Label"]] += int(sum(series["Values"]))
        except client.exceptions.ClientError as error:
            if denied(error):
                return None
            raise
        return {name: count for name, count in counts.items() if count}

    def samples(self, name: str) -> list[Sample]:
        """Those that fit this function come first."""
        found = [Sample("{}", "{}"), *self._failed(name), *self._beside(name)]
        at, scope = self._cloud.clock.now(), self._cloud.scope
        found += [
            Sample(f"lambdalog event {kind}", json.dumps(make(at, scope.region, scope.account), indent=2))
            for kind, make in SAMPLES.items()
        ]
        return found

    def _failed(self, name: str) -> list[Sample]:
        if self._cloud.store is None:
            return []  # on AWS each look into a queue counts
        newest = self._letters.newest_of(name)
        if newest is None:
            return []
        return [Sample(f"its last failure · {newest.queue}", newest.event or "")]

    def _beside(self, name: str) -> list[Sample]:
        """`events/*.json` in the function's folder, where that is on this machine."""
        if self._cloud.store is None:
            return []
        located: Any = self._cloud.lambda_.get_function(FunctionName=name)
        place = urlsplit(located["Code"].get("Location", ""))
        if place.scheme != "file":
            return []
        folder = Path(unquote(place.path)) / "events"
        return [
            Sample(f"events/{path.name}", path.read_text(encoding="utf-8", errors="replace"))
            for path in sorted(folder.glob("*.json"))[:OWN_MAX]
            if path.is_file() and path.stat().st_size <= OWN_BYTES_MAX
        ]

    def invoke(self, name: str, qualifier: str, event: str, *, asynchronous: bool) -> Answer:
        """By the process that serves the store, if one does: its environments are warm. Sent once, never again."""
        served = served_client(self._cloud, "lambda")
        client = served or self._cloud.careful("lambda")
        given = {"FunctionName": name, "Qualifier": qualifier, "Payload": event.encode()}
        if asynchronous:
            answer = client.invoke(InvocationType="Event", **given)
            alone = served is None and self._cloud.store is not None
            note = "it runs once a worker is at work: lambdalog serve, or lambdalog worker" if alone else ""
            return Answer(answer["ResponseMetadata"]["RequestId"], qualifier, "", "", note)
        answer = client.invoke(**given)
        said = answer["Payload"].read().decode("utf-8", "replace")[:PAYLOAD_SHOWN_MAX]
        return Answer(
            answer["ResponseMetadata"]["RequestId"],
            answer.get("ExecutedVersion", qualifier),
            answer.get("FunctionError", ""),
            said,
        )

    def _items(self, operation: str, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        pages = self._cloud.client("lambda").get_paginator(operation).paginate(**arguments)
        for page in pages:
            yield from page.get(key, ())


def masked(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration without the values of its environment: names are enough on a screen that others see."""
    variables = config.get("Environment", {}).get("Variables")
    if not variables:
        return dict(config)
    return {**config, "Environment": {"Variables": dict.fromkeys(variables, "***")}}
