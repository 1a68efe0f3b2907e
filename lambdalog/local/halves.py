"""Half a surrogate pair in a parameter: a Python text can hold it, no encoding can, so neither a file nor a database.

boto3 sends it as JSON's escape, of which AWS makes a question mark, or fails to encode it. Here it is refused before
anything is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator


def half_at(params: dict[str, Any]) -> str | None:
    """The path of the first text that has one, as botocore writes paths; None if all is well."""
    try:
        orjson.dumps(params, default=_nothing, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, RecursionError):
        return next(_halves(params, ""), None)  # it refuses large numbers too
    return None


def _nothing(_: Any) -> None:
    """What is no JSON (bytes, times, streams) is no text either."""


def _halves(value: Any, path: str) -> Iterator[str]:
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                yield path
        case dict():
            for key, item in value.items():
                name = str(key).encode("ascii", "backslashreplace").decode()
                where = f"{path}.{name}" if path else name
                yield from _halves(key, where)
                yield from _halves(item, where)
        case list() | tuple():
            for number, item in enumerate(value):
                yield from _halves(item, f"{path}[{number}]")
