"""Regular expressions of filter patterns: a small language of its own, matched in linear time."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from lambdalog.errors import PatternError
from lambdalog.extras import at_a_desk

with at_a_desk():
    import re2

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.query.pattern.scanner import Scanner

# What the filter pattern syntax page lists: alphanumerics, some signs, and the operators without parentheses.
_ALLOWED: Final = re.compile(r"[A-Za-z0-9:_#=@/;,\- ^$?\[\]{}|\\*+.]*")
# With less, re2 leaves its automaton where many repeated characters overlap, and steps through the expression instead: a
# hundred times slower.
_MEMORY_MAX: Final = 1 << 23
_MEMORY_LEAST: Final = 1 << 20
# What an expression may be long, its {m,n} written out, a `.` as eight: some are more for what is no ASCII. In the worst of
# them each byte of a text costs a step for each of these, some seconds for a megabyte. One that is longer as it is typed, a
# list of ids as a rule, may be as long as that.
_STEPS_MAX: Final = 1100
_ESCAPES: Final = re.compile(r"\\(?:[dDsSwW]|x[0-9A-Fa-f]{2}|[^A-Za-z0-9])")


def read(scanner: Scanner) -> str:
    """The expression between two `%`. PatternError for what the service would refuse."""
    start = scanner.position
    text = scanner.text
    end = text.find("%", start + 1)
    if end < 0:
        raise PatternError("the regular expression that begins here has no closing %", start)
    body = text[start + 1 : end]
    if not body:
        raise PatternError("an empty regular expression", start)
    allowed = _ALLOWED.match(body)
    if allowed is None or allowed.end() != len(body):
        wrong = allowed.end() if allowed else 0
        raise PatternError(f"{body[wrong]!r} can't stand in a regular expression here", start + 1 + wrong)
    position = body.find("\\")
    while position >= 0:
        escape = _ESCAPES.match(body, position)
        if escape is None:
            raise PatternError(
                f"{body[position : position + 2]} is no escape of regular expressions here",
                start + 1 + position,
            )
        position = body.find("\\", escape.end())
    try:
        compiled(body)
    except re2.error as error:
        raise PatternError(f"not a regular expression: {reason(error)}", start + 1) from None
    scanner.position = end + 1
    return body


def reason(error: Exception) -> str:
    """What re2 says is wrong."""
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def searcher(body: str) -> Callable[[str], bool]:
    """Whether a text has a match of the expression in it."""
    search = compiled(body).search

    def found(text: str) -> bool:
        try:
            return search(text) is not None
        except UnicodeEncodeError:  # a lone surrogate, which no expression can ask for
            return search(text.encode("utf-8", "replace").decode()) is not None

    return found


@lru_cache(maxsize=32)
def compiled(body: str) -> re2._Regexp:
    """An expression of re2's, ready to search. re2.error if it is none, or one that could take seconds to search with."""
    # In little memory an expression that is far too long is soon refused; in all of it making it ready takes many seconds.
    try:
        steps = _made(body, _MEMORY_LEAST).programsize
    except re2.error as error:
        if "too large" not in reason(error):
            raise
        steps = math.inf
    if steps > max(_STEPS_MAX, len(body)):
        raise re2.error("it repeats too much; take smaller numbers in its {m,n}")
    return _made(body, _MEMORY_MAX)


def _made(body: str, memory: int) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = memory
    return re2.compile(body, options)
