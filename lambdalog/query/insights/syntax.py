"""What a query is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or a text."""

    value: Any


@dataclass(frozen=True, slots=True)
class Field:
    """A field by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression."""

    body: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function, or an aggregate, with its arguments. `*` is Literal(None)."""

    name: str
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """`not x` or `-x`."""

    operator: str
    operand: Any


@dataclass(frozen=True, slots=True)
class Binary:
    """Two values and what stands between them: arithmetic, comparison."""

    operator: str
    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions with `and` or `or` between all of them."""

    operator: str
    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """`x like "text"`, `x like /regex/`, `x =~ /regex/`."""

    operand: Any
    pattern: Regex | str


@dataclass(frozen=True, slots=True)
class In:
    """`x in [a, b]`."""

    operand: Any
    items: tuple[Any, ...]


Expression = Literal | Field | Call | Unary | Binary | Joined | Like | In


@dataclass(frozen=True, slots=True)
class Named:
    """An expression and the column that it makes: its alias, or as it was typed."""

    name: str
    expression: Any


@dataclass(frozen=True, slots=True)
class Fields:
    """`fields a, b as c`."""

    items: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Display:
    """`display a, b`: only these."""

    items: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """`filter condition`."""

    condition: Any


@dataclass(frozen=True, slots=True)
class Stats:
    """`stats a, b by c, d`. The items name the aggregates in `calls` by their number: `$0`."""

    items: tuple[Named, ...]
    by: tuple[Named, ...]
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Sort:
    """`sort a desc, b`."""

    keys: tuple[tuple[Any, bool], ...]
    """(expression, whether descending)"""


@dataclass(frozen=True, slots=True)
class Limit:
    """`limit 20`."""

    count: int


@dataclass(frozen=True, slots=True)
class Dedup:
    """`dedup a, b`: the first event of each combination."""

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parse:
    """`parse @message "user=*" as user`, or a regular expression with named groups."""

    source: Any
    regex: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unnest:
    """`unnest items into item`: a record for each element of a list."""

    source: Any
    name: str


Command = Fields | Display | Filter | Stats | Sort | Limit | Dedup | Parse | Unnest


@dataclass(frozen=True, slots=True)
class Query:
    """The commands in their order, and the text they were read from."""

    text: str
    commands: tuple[Command, ...]
