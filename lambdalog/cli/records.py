"""How commands show records: a table for people, JSON lines for programs, KEY=VALUE in arguments."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli.options import console, interactive, write_line
from lambdalog.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def json_line(record: Any) -> None:
    """One record as one line of JSON; times as text."""
    write_line(json.dumps(record, default=_text))


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table that fits the terminal; whole where nobody looks."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(str(value))) for value in row))
    out = console()
    if not interactive():
        out.width = 10_000  # a file has no edge
    out.print(table, soft_wrap=False)


def show_fields(pairs: Iterable[tuple[str, object]]) -> None:
    """Names and values, a line each; what is empty is left out."""
    shown = [
        (name, json.dumps(value, default=_text) if isinstance(value, dict | list) else str(value))
        for name, value in pairs
        if value is not None and value != ""
    ]
    width = max((len(name) for name, _ in shown), default=0) + 2
    for name, value in shown:
        write_line(f"{name:<{width}}{printable(value)}")


def pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """NAME=VALUE texts; a usage error for what is none."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{option} {text}: write NAME=VALUE")
        found[name] = value
    return found


def qualified(text: str) -> dict[str, str]:
    """NAME or NAME:QUALIFIER as the parameters of an operation; an ARN stays whole."""
    if text.startswith("arn:") or ":" not in text:
        return {"FunctionName": text}
    name, _, qualifier = text.partition(":")
    return {"FunctionName": name, "Qualifier": qualifier}


def every(client: Any, operation: str, key: str, **params: Any) -> Iterable[dict[str, Any]]:
    """All records of a list, whatever its pages."""
    for page in client.get_paginator(operation).paginate(**params):
        yield from page[key]
