"""What a caller may write for a function: its name, a partial or a whole ARN, each with a qualifier or without."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

LATEST: Final = "$LATEST"
_FUNCTION: Final = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?"
    r"(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?"
    r"(?:(?P<account>\d{12}):)?"
    r"(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_.]+)"
    r"(?::(?P<qualifier>[$a-zA-Z0-9-_.]+))?"
)


class FunctionName(NamedTuple):
    """A function as it was named; what was left out is None."""

    name: str
    qualifier: str | None = None
    region: str | None = None
    account: str | None = None


class Mismatch(ValueError):
    """The qualifier in the name is not the one beside it."""


@lru_cache(maxsize=1000)
def parse(text: str, qualifier: str | None = None) -> FunctionName:
    """Take apart what a caller wrote, with the qualifier that it gave beside.

    Mismatch if the name carries another qualifier; ValueError for what names no function.
    """
    found = _FUNCTION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} names no function")
    derived = found["qualifier"]
    if derived is not None and qualifier is not None and derived != qualifier:
        raise Mismatch(text)
    return FunctionName(found["name"], qualifier or derived, found["region"], found["account"])


def is_version(qualifier: str) -> bool:
    """Whether a qualifier is a version's number: an alias can't be one."""
    return qualifier.isascii() and qualifier.isdigit()
