"""Changing an event before it is sent again: the message in the queue stays as it is, the change stands in the journal."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from lambdalog.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEP: Final = re.compile(r"\.?([A-Za-z_$][\w$-]*)|\[(\d+)\]|\[(?:'([^']*)'|\"([^\"]*)\")\]")
# A number is written as it was read: 1.10 stays 1.10.
_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


class Refused(Exception):
    """The event can't be changed so."""


class Setting:
    """`path=value`: `$.order.items[0].price=3`, `order.note=hello`; the value is JSON, or else a text."""

    def __init__(self, text: str) -> None:
        path, equals, value = text.partition("=")
        self.text = text
        self.steps = _steps(path.strip())
        if not equals or not self.steps:
            raise ArgumentError(f"'{text}': write PATH=VALUE, as order.total=3 or $.items[0].name=x")
        try:
            self.value = _decoder.decode(value)
        except msgspec.DecodeError:
            self.value = value

    def apply(self, event: Any) -> Any:
        """The event with the value in its place. Refused where the path leads nowhere; the last name may be new."""
        place = event
        for number, step in enumerate(self.steps):
            last = number == len(self.steps) - 1
            if isinstance(step, int):
                if not isinstance(place, list) or step >= len(place):
                    raise Refused(f"{self.text}: there is no item {step}")
            elif not isinstance(place, dict) or (step not in place and not last):
                raise Refused(f"{self.text}: there is no {step}")
            if last:
                place[step] = self.value
            else:
                place = place[step]
        return event


def _steps(path: str) -> list[str | int]:
    position = 1 if path.startswith("$") and path[1:2] in {".", "[", ""} else 0
    steps: list[str | int] = []
    while position < len(path):
        found = _STEP.match(path, position)
        if found is None:
            raise ArgumentError(f"'{path}' is no path; write order.items[0].name, or $.order['odd name']")
        name, index, *quoted = found.groups()
        steps.append(int(index) if index is not None else name or next(q for q in quoted if q is not None))
        position = found.end()
    return steps


def with_settings(event: str | None, settings: Sequence[Setting]) -> str:
    """An event's text with values set. Refused, with the reason, where that can't be done."""
    if event is None:
        raise Refused("the message holds no event")
    try:
        value = _decoder.decode(event)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Refused(f"the event can't be read as JSON: {error}") from None
    for setting in settings:
        value = setting.apply(value)
    return _encoder.encode(value).decode()


def pretty(event: str) -> str:
    """An event's text for an editor: indented where it is JSON, and as it stands where it isn't."""
    try:
        return msgspec.json.format(event, indent=2)
    except msgspec.DecodeError:
        return event


def edited(before: str, text: str) -> str | None:
    """What an editor gave back, made compact if it is JSON; None if nothing was changed. Refused for JSON that broke."""
    if text.rstrip("\n") == pretty(before).rstrip("\n"):
        return None
    try:
        compact = msgspec.json.format(text, indent=-1)
        json.loads(compact)
    except (msgspec.DecodeError, ValueError) as error:
        try:
            json.loads(before)
        except ValueError:
            return text.removesuffix("\n")  # it was no JSON before either
        raise Refused(f"what was edited is no JSON: {error}") from None
    return compact
