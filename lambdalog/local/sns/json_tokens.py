"""The tokens of a JSON text, each with how far AWS's parser (Jackson) has read when it knows it.

SNS tells in its errors where a filter policy is wrong. Jackson reads a string only as far as its opening quote until its
text is asked for, and after a field's name it has already looked at the value.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

_TOKEN: Final = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>-?\d[\d.eE+-]*|true|false|null)|(?P<mark>[\[\]{},:]))'
)


class Token(NamedTuple):
    """One token. `kind`: one of `[ ] { }`, name, string, word; `read`: characters."""

    kind: str
    value: Any
    read: int


def tokens(text: str) -> list[Token]:
    """The tokens of a valid JSON text."""
    found: list[Token] = []
    raw = [(match, match.lastgroup or "") for match in _TOKEN.finditer(text)]
    for index, (match, kind) in enumerate(raw):
        mark = match.group("mark")
        if mark in {",", ":"}:
            continue
        if mark is not None:
            found.append(Token(mark, None, match.end()))
        elif index + 1 < len(raw) and raw[index + 1][0].group("mark") == ":":
            value = raw[index + 2][0]
            found.append(Token("name", json.loads(match.group("string")), _seen(value)))
        else:
            found.append(Token(kind, json.loads(match.group(kind)), _seen(match)))
    return found


def _seen(match: re.Match[str]) -> int:
    """How far Jackson has read when it knows this value."""
    return match.start("string") + 1 if match.group("string") is not None else match.end()
