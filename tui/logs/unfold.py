"""A line laid out in its place: its JSON a field a row, each with the selector that a filter would name it by.

Pure, and bounded: a line of a megabyte gives as many rows as a screen can be scrolled through, and says what it left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from lambdalog.printable import printable
from tui.logs.format import Span, json_text, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS_MAX: Final = 400
TEXT_MAX: Final = 4000
_DEPTH_MAX: Final = 12
_NAME: Final = re.compile(r"[A-Za-z0-9_]+")


class Field(NamedTuple):
    """A scalar of a JSON line. `selector` as in a filter pattern, `$.order.id`; None where a pattern can't name it."""

    selector: str | None
    value: object


class Row(NamedTuple):
    """One row below a line."""

    spans: tuple[Span, ...]
    field: Field | None = None


def unfolded(message: str) -> list[Row]:
    """The rows of a message: fields of a JSON object, else the lines of its text."""
    record = parse(message)
    source = _object(record, "$", 0) if record is not None else _text(message, 0)
    rows: list[Row] = []
    for row in source:
        if len(rows) == ROWS_MAX:
            rows.append(Row((Span("… more; v shows the whole line", "quiet"),)))
            break
        rows.append(row)
    return rows


def _selector(parent: str | None, name: str) -> str | None:
    if parent is None:
        return None
    if _NAME.fullmatch(name):
        return f"{parent}.{name}"
    if "'" in name or "]" in name or not name.isprintable():
        return None
    return f"{parent}.['{name}']"


def _object(record: dict[str, object], selector: str | None, depth: int) -> Iterator[Row]:
    for name, value in record.items():
        yield from _value(name, value, _selector(selector, name), depth)


def _value(name: str, value: object, selector: str | None, depth: int) -> Iterator[Row]:
    lead = Span("  " * depth + printable(name[:200]), "key")
    if isinstance(value, dict | list) and value and depth < _DEPTH_MAX:
        yield Row((lead, Span(":", "quiet")))
        if isinstance(value, dict):
            yield from _object(value, selector, depth + 1)
        else:
            for index, item in enumerate(value):
                inner = f"{selector}[{index}]" if selector is not None else None
                yield from _value(f"[{index}]", item, inner, depth + 1)
        return
    if isinstance(value, str) and "\n" in value:
        yield Row((lead, Span(": ", "quiet")), Field(selector, value))
        yield from _text(value, depth + 1)
        return
    yield Row((lead, Span(": ", "quiet"), Span(_scalar(value), _role(value))), Field(selector, value))


def _scalar(value: object) -> str:
    if isinstance(value, str):
        text = value[:TEXT_MAX]
        return f'"{printable(text)}{"…" if len(value) > TEXT_MAX else ""}"'
    return printable(json_text(value)[:TEXT_MAX])


def _role(value: object) -> str:
    return "value" if isinstance(value, str) else "number"


def _text(text: str, depth: int) -> Iterator[Row]:
    for part in text[: TEXT_MAX * 16].split("\n"):
        yield Row((Span("  " * depth + printable(part[:TEXT_MAX].rstrip("\r")), "message"),))
