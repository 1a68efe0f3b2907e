"""Asking a store, as the tests of queries do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lambdalog.query.insights import Run, read

if TYPE_CHECKING:
    from lambdalog.store import LogStore


# 2023-11-14 22:13:20
T0 = 1_700_000_000_000


UUID = "8f507cfc-xmpl-4697-b07a-ac58fc914c95".replace("xmpl", "4a3b")


def write(store: LogStore, *messages: Any, group: str = "g", step: int = 1000) -> None:
    """Messages, a second apart; what is no text is written as JSON."""
    store.append(
        group,
        "s",
        [
            (T0 + number * step, message if isinstance(message, str) else json.dumps(message))
            for number, message in enumerate(messages)
        ],
    )


def ask(
    store: LogStore,
    text: str,
    groups: tuple[str, ...] = ("g",),
    start: int | None = None,
    end: int | None = None,
    **options: Any,
) -> list[dict[str, str]]:
    """The rows of a query, without their pointers."""
    run = Run(read(text), store, groups, start=start, end=end, **options)
    return [{name: value for name, value in row if name != "@ptr"} for row in run.rows()]


def value(store: LogStore, expression: str) -> str | None:
    """What an expression is for the only event."""
    (row,) = ask(store, f"fields {expression} as x | limit 1")
    return row.get("x")
