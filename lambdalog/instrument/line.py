"""What stands in a line, in which order, and under which names."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType, FrameType

# What a line says of itself: a key of the user's never replaces it.
RESERVED: Final = frozenset(
    {
        "timestamp",
        "level",
        "message",
        "location",
        "requestId",
        "function",
        "version",
        "coldStart",
        "errorType",
        "errorMessage",
        "failure",
        "degraded",
        "linesLost",
    }
)
# Arguments that standard logging's users know.
ARGUMENTS: Final = frozenset({"exc_info", "stack_info", "stacklevel", "extra"})
SPECIAL: Final = RESERVED | ARGUMENTS
PLACES_MAX: Final = 1000


class Stamps:
    """Times as RFC 3339 with milliseconds; the texts of a second and of a millisecond are made once."""

    def __init__(self) -> None:
        self._second = (-1, "")
        self._last = (-1, "")

    def text(self, nanoseconds: int) -> str:
        """A time given as nanoseconds since the epoch: what Lambda's JSON log format demands."""
        millisecond = nanoseconds // 1_000_000
        # Read and replaced as one: another thread never sees half of it.
        last = self._last
        if last[0] == millisecond:
            return last[1]
        second, rest = divmod(millisecond, 1000)
        known = self._second
        if known[0] != second:
            known = (second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)))
            self._second = known
        text = f"{known[1]}.{rest:03d}Z"
        self._last = (millisecond, text)
        return text


# Methods, as calling an object takes twice as long.
stamp: Final = Stamps().text


def safe(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of the user's, renamed where the line itself bears the name: `level` becomes `level_`."""
    if RESERVED.isdisjoint(keys):
        return dict(keys)
    found = {name: value for name, value in keys.items() if name not in RESERVED}
    for name in keys:
        if name in RESERVED:
            other = f"{name}_"
            while other in found:
                other += "_"
            found[other] = keys[name]
    return found


class Places:
    """Where lines are logged, as `app.py:process:12`; the text of a place is made once.

    Python finds a frame's line by going through its function's table from the start: in a long function that takes longer
    than all the rest of a line.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[CodeType, str]] = {}

    def text(self, frame: FrameType | None) -> str:
        """The place that a frame is at."""
        if frame is None:
            return ""
        code = frame.f_code
        # By identity: a code object's own hash goes through its constants. It is kept, so that no other has its number.
        key = (id(code), frame.f_lasti)
        known = self._known.get(key)
        if known is not None:
            return known[1]
        text = f"{code.co_filename.rpartition('/')[2]}:{code.co_name}:{frame.f_lineno}"
        if len(self._known) >= PLACES_MAX:
            # Code that is made on the fly would else be kept for ever.
            self._known.clear()
        self._known[key] = (code, text)
        return text


location: Final = Places().text


def interpolated(message: object, args: tuple[Any, ...]) -> object:
    """`"%s items", 3` as standard logging has it, a single dict for named ones too; what doesn't fit is said behind."""
    try:
        given: Any = args[0] if len(args) == 1 and isinstance(args[0], dict) and args[0] else args
        return str(message) % given
    except Exception:  # noqa: BLE001 - a wrong format string still is a line
        try:
            return f"{message} {args!r}"
        except Exception as error:  # noqa: BLE001 - so are arguments whose repr() fails
            return f"{type(message).__name__} (not to be shown: {type(error).__name__})"


def exception(exc_info: Any) -> BaseException | None:
    """The exception that an `exc_info` argument means: itself, of a tuple, or the one that is handled now."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple) and len(exc_info) == 3:
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def stack(frame: FrameType | None) -> str:
    """The calls that led to a line, as Python prints them."""
    import traceback

    return "".join(traceback.format_stack(frame)).rstrip()
