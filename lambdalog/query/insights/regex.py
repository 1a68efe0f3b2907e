"""Regular expressions of queries, matched in linear time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from lambdalog.errors import QueryError
from lambdalog.extras import at_a_desk
from lambdalog.query.pattern.regex import compiled as prepared
from lambdalog.query.pattern.regex import reason

with at_a_desk():
    import re2

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMED: Final = re.compile(r"\(\?<([A-Za-z][A-Za-z0-9_]*)>")


def compiled(body: str) -> Any:
    """The expression, with Java's named groups. QueryError if it is none, or repeats too much."""
    try:
        return prepared(_NAMED.sub(r"(?P<\1>", body))
    except re2.error as error:
        raise QueryError(f"not a regular expression: {reason(error)}") from None
    except UnicodeEncodeError as error:
        raise QueryError(f"not a regular expression: {error.reason}") from None


def searcher(body: str) -> Callable[[str], Any]:
    """What finds the expression's first match in a text."""
    search = compiled(body).search

    def find(text: str) -> Any:
        try:
            return search(text)
        except UnicodeEncodeError:  # a lone surrogate, which no expression can ask for
            return search(text.encode("utf-8", "replace").decode())

    return find


def groups(body: str) -> tuple[str, ...]:
    """The names of its groups, in their order."""
    compiled(body)
    return tuple(_NAMED.findall(body)) or tuple(re.findall(r"\(\?P<([A-Za-z_][A-Za-z0-9_]*)>", body))


def count(body: str) -> int:
    """How many groups it has."""
    found: int = compiled(body).groups
    return found


def of_glob(glob: str) -> str:
    """A glob's expression: each `*` takes as little as it can, the last one the rest of the line if nothing follows."""
    parts = [re2.escape(part) for part in glob.split("*")]
    body = "(.*?)".join(parts)
    return f"(?s){body.removesuffix('(.*?)')}(.*)" if body.endswith("(.*?)") else f"(?s){body}"
