"""What the demo did, by its own count, and whether the store says the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambdalog.cloud import Cloud


@dataclass
class Tally:
    """One function, as the demo counted it."""

    durations: list[float] = field(default_factory=list)
    errors: int = 0
    cold_starts: int = 0
    throttles: int = 0
    replayed: int = 0

    @property
    def invocations(self) -> int:
        """How many invocations ran to their end."""
        return len(self.durations)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the summary. Durations in ms; `dead_letters` is how many lie in the queue now."""

    function: str
    invocations: int
    errors: int
    throttles: int
    p50: float
    p95: float
    cold_starts: int
    dead_letters: int
    replayed: int


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` of the values do not exceed; 0 for none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def rows(tallies: Mapping[str, Tally], letters: Mapping[str, int]) -> list[Row]:
    """The summary's lines, by function."""
    return [
        Row(
            function=name,
            invocations=tally.invocations,
            errors=tally.errors,
            throttles=tally.throttles,
            p50=percentile(tally.durations, 0.5),
            p95=percentile(tally.durations, 0.95),
            cold_starts=tally.cold_starts,
            dead_letters=letters.get(name, 0),
            replayed=tally.replayed,
        )
        for name, tally in sorted(tallies.items())
    ]


def differences(cloud: Cloud, tallies: Mapping[str, Tally]) -> list[str]:
    """Where the log says otherwise than the demo counted: invocations and cold starts. Empty is good."""
    found = []
    for name, tally in sorted(tallies.items()):
        lines = _messages(cloud, f"/aws/lambda/{name}")
        kinds = Counter(
            kind for line in lines if (kind := line.partition(" ")[0]) in {"START", "END", "REPORT"}
        )
        found += [
            f"{name}: {tally.invocations} invocations, {kinds[kind]} {kind} lines"
            for kind in ("START", "END", "REPORT")
            if kinds[kind] != tally.invocations
        ]
        cold = sum("\tInit Duration: " in line for line in lines if line.startswith("REPORT"))
        if cold != tally.cold_starts:
            found.append(f"{name}: {tally.cold_starts} cold starts, {cold} in REPORT lines")
    return found


def letters_in(cloud: Cloud, queue: str) -> int:
    """How many messages a queue holds, in flight or not."""
    url = cloud.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    attributes: Any = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return sum(int(value) for name, value in attributes.items() if name.startswith("ApproximateNumberOf"))


def _messages(cloud: Cloud, group: str) -> list[str]:
    try:
        pages = cloud.logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"]]
    except cloud.logs.exceptions.ResourceNotFoundException:
        return []
