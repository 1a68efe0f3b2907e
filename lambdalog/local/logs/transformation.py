"""A metric transformation: from log events that match to a metric's values. Pure decisions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from lambdalog.errors import PatternError
from lambdalog.local.logs.ledger import MINUTE_MS, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambdalog.query.pattern import Pattern
    from lambdalog.store import Event

# "The MetricFilter can have up to three dimensions."
DIMENSIONS_MAX: Final = 3

_Field = Callable[[str], str | None]


class Invalid(ValueError):
    """The transformation can't be; the text says why."""


@dataclass(frozen=True)
class Transformation:
    """`metricTransformations`' one entry, ready to be applied to messages that match `pattern`."""

    namespace: str
    name: str
    unit: str
    default: float | None
    pattern: Pattern
    value: float | _Field
    dimensions: tuple[tuple[str, _Field], ...]

    def values(self, events: Iterable[Event]) -> list[Value]:
        """The values of a piece of the log, minute by minute.

        A matching event whose value is no number, or which lacks a dimension's field, yields none.
        """
        found: dict[tuple[tuple[tuple[str, str], ...], int], list[float]] = {}
        seen: set[int] = set()
        for event in events:
            minute = event.timestamp - event.timestamp % MINUTE_MS
            seen.add(minute)
            if not self.pattern.matches(event.message):
                continue
            value = self.value if isinstance(self.value, float) else _number(self.value(event.message))
            dimensions = [(name, field(event.message)) for name, field in self.dimensions]
            if value is None or any(text is None for _, text in dimensions):
                continue
            key = tuple((name, text) for name, text in dimensions if text is not None)
            found.setdefault((key, minute), []).append(value)
        values = [
            Value(
                self.namespace, self.name, dimensions, self.unit, minute,
                len(numbers), math.fsum(numbers), min(numbers), max(numbers),
            )
            for (dimensions, minute), numbers in found.items()
        ]  # fmt: skip
        if self.default is not None:
            value = self.default
            values += [
                Value(self.namespace, self.name, (), self.unit, minute, 1, value, value, value, filler=True)
                for minute in seen - {minute for _, minute in found}
            ]
        return values


def transformation(record: dict[str, Any], pattern: Pattern) -> Transformation:
    """A transformation from AWS's shape of it. Invalid if it can't be."""
    dimensions = record.get("dimensions") or {}
    if dimensions and "defaultValue" in record:
        raise Invalid(
            "Invalid metric transformation: dimensions and default value are mutually exclusive properties."
        )
    if len(dimensions) > DIMENSIONS_MAX:
        raise Invalid(f"Invalid metric transformation: at most {DIMENSIONS_MAX} dimensions are allowed.")
    value = record["metricValue"]
    number = _number(value)
    if number is None and not value.startswith("$"):
        raise Invalid(
            f"Invalid metric transformation: metricValue '{value}' is neither a number nor a field of the pattern."
        )
    return Transformation(
        record["metricNamespace"],
        record["metricName"],
        record.get("unit", "None"),
        record.get("defaultValue"),
        pattern,
        _field(value, pattern) if number is None else number,
        tuple(sorted((name, _field(text, pattern)) for name, text in dimensions.items())),
    )


def _field(text: str, pattern: Pattern) -> _Field:
    """What finds a field in a message: `$.a.b` of JSON, `$name` or `$3` of what the pattern names."""
    if not text.startswith(("$.", "$[")):
        return lambda message: pattern.extract(message).get(text)
    from lambdalog.query.pattern import json_fields

    try:
        selector = json_fields.read_selector(text)
    except PatternError as error:
        raise Invalid(f"Invalid metric transformation: {text}: {error}") from None

    def find(message: str) -> str | None:
        try:
            value = orjson.loads(message)
        except (orjson.JSONDecodeError, TypeError):
            return None
        for each in selector.find(value):
            if isinstance(each, str):
                return each
            return orjson.dumps(each).decode()
        return None

    return find


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
