"""What tests of the handler's side share: an output that keeps its lines, and a context as Lambda's client makes it."""

from __future__ import annotations

import json
from typing import Any

from lambdalog.clock import ManualClock
from lambdalog.instrument.deadline import Watchdog
from lambdalog.instrument.logger import Logger
from lambdalog.instrument.observe import Observer
from lambdalog.instrument.options import checked
from lambdalog.instrument.output import Output


class Heard(Output):
    """Keeps the lines instead of writing them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []
        self.raw: list[bytes] = []

    def write(self, line: bytes) -> None:
        """Keep it; a line that is no JSON, or more than one line, is refused."""
        assert b"\n" not in line
        self.raw.append(line)
        self.lines.append(json.loads(line, parse_constant=_refuse))

    @property
    def line(self) -> dict[str, Any]:
        """The only line."""
        (found,) = self.lines
        return found


class Context:
    """A context as Lambda's client makes it; `left` is its remaining time in ms.

    By default enough for a machine that has much else to do: no deadline comes near.
    """

    aws_request_id = "req-1"
    function_name = "orders"
    function_version = "7"

    def __init__(self, left: int = 900_000, request_id: str = "req-1") -> None:
        self.left = left
        self.aws_request_id = request_id

    def get_remaining_time_in_millis(self) -> int:
        """As it was told."""
        return self.left


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def observer(
    heard: Heard, *, watchdog: Watchdog | None = None, chance: float = 1.0, **options: Any
) -> Observer:
    """An observer that writes where the test reads."""
    return Observer(
        "app.handler",
        checked(**options),
        watchdog=watchdog or Watchdog(ManualClock(), threaded=False),
        chance=lambda: chance,
        log=Logger({}, level=0, output=heard),
    )
