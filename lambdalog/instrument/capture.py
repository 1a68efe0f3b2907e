"""What a failed invocation's line tells: the exception whole, what the code held, the event, the surroundings.

Imported when something fails, not before: a cold start doesn't pay for it.
"""

from __future__ import annotations

import platform
import sys
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final

import orjson

import lambdalog
from lambdalog import failure as failures
from lambdalog.instrument.scrub import Scrubber, Sweep, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

    from lambdalog.instrument.invocation import Invocation

LOCALS_MAX: Final = 20
LOCAL_TEXT_MAX: Final = 200
# How far a variable is looked into for those.
LOCAL_LOOK_MAX: Final = 1000
# All variables of all frames of a failure together, and its event.
LOCALS_BYTES: Final = 12_000
EVENT_BYTES: Final = 16_000

_DEFAULT: Final = Scrubber()


def tell(
    error: BaseException,
    *,
    scrubber: Scrubber | None = None,
    local: bool = True,
    event: Any = None,
    running: Invocation | None = None,
    surroundings: bool = False,
) -> dict[str, Any]:
    """The keys of a line about an exception: errorType, errorMessage, failure.

    `failure` is the Failure's record; with `surroundings` also the event and what surrounded it; with all secrets
    scrubbed, and `scrubbed` saying which.
    """
    sweep = Sweep(scrubber or _DEFAULT, LOCALS_BYTES)
    # Locals are scrubbed as they are read: what they hold is bounded by the same look.
    variables = Variables(sweep) if local else None
    try:
        found = failures.from_exception(error, variables)
    except Exception as own:  # noqa: BLE001 - an exception's attributes are the user's code too
        type_, message = type(error).__name__, f"(not to be told: {type(own).__name__})"
        found = failures.Failure(type_, message, failures.fingerprint(type_, message, ()))
    return _line(found, sweep, event=event, running=running, surroundings=surroundings)


def tell_failure(
    found: failures.Failure,
    *,
    scrubber: Scrubber | None = None,
    event: Any = None,
    running: Invocation | None = None,
    surroundings: bool = True,
) -> dict[str, Any]:
    """The same keys for a failure that is no exception: a 5xx answer, a stuck thread."""
    return _line(found, Sweep(scrubber or _DEFAULT), event=event, running=running, surroundings=surroundings)


def stuck_keys(
    make: Callable[[Variables | None], failures.Failure],
    *,
    scrubber: Scrubber | None,
    local: bool,
    event: Any,
    running: Invocation,
) -> dict[str, Any]:
    """The keys of a warning about a thread that is stuck: no error yet, so `failure` alone."""
    sweep = Sweep(scrubber or _DEFAULT, LOCALS_BYTES)
    found = make(Variables(sweep) if local else None)
    return {"failure": _line(found, sweep, event=event, running=running, surroundings=True)["failure"]}


def _line(
    found: failures.Failure, sweep: Sweep, *, event: Any, running: Invocation | None, surroundings: bool
) -> dict[str, Any]:
    record = found.record()
    sweep.left = max(sweep.left, 0) + 4 * failures.TEXT_MAX
    _scrub_texts(record, sweep, "failure")
    if surroundings:
        record |= _surroundings(event, sweep, running)
    if sweep.found:
        record["scrubbed"] = sweep.told()
    return {"errorType": found.type, "errorMessage": record["message"], "failure": record}


def _scrub_texts(record: dict[str, Any], sweep: Sweep, path: str) -> None:
    """The messages, notes and lines of code of a record and all within it."""
    record["message"] = _noted(sweep.rules(record["message"]), sweep, f"{path}.message")
    if "notes" in record:
        record["notes"] = [_noted(sweep.rules(note), sweep, f"{path}.notes") for note in record["notes"]]
    for index, frame in enumerate(record["frames"]):
        if "code" in frame:
            frame["code"] = _noted(sweep.code(frame["code"]), sweep, f"{path}.frames[{index}].code")
    for name in ("causes", "members"):
        for index, inner in enumerate(record.get(name, ())):
            _scrub_texts(inner, sweep, f"{path}.{name}[{index}]")


def _noted(found: tuple[str, list[str]], sweep: Sweep, path: str) -> str:
    clean, rules = found
    for rule in rules:
        sweep.note(path, rule)
    return clean


def _surroundings(event: Any, sweep: Sweep, running: Invocation | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    sweep.left = EVENT_BYTES
    found["event"] = sweep.value(event, "event")
    found["eventBytes"] = _size(event)
    remaining = running.remaining if running is not None else None
    if remaining is not None:
        try:
            found["remainingMs"] = int(remaining())
        except Exception as error:  # noqa: BLE001 - a test's context may have anything there
            found["remainingMs"] = f"not known: {type(error).__name__}"
    found["memoryMb"] = peak_mb()
    found["versions"] = {"python": platform.python_version(), "lambdalog": lambdalog.__version__}
    return found


def _size(event: Any) -> int | None:
    """The event's size as JSON; None where it is none."""
    try:
        return len(orjson.dumps(event))
    except TypeError:
        return None


def peak_mb() -> int:
    """The most memory that this process has had, in MB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Bytes on macOS, kilobytes elsewhere.
    return max(1, peak // (1024 * 1024 if sys.platform == "darwin" else 1024))


class Variables:
    """Tells a frame's variables: the first twenty, each as a short text."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        # By a value's id: the value, its text, and what was scrubbed in it. What is passed on from call to call (an
        # event, self) is looked into once.
        self._known: dict[int, tuple[Any, str, dict[str, str]]] = {}

    def __call__(self, frame: FrameType) -> Mapping[str, str]:
        """Name → text; modules, functions and classes say nothing and are left out."""
        found: dict[str, str] = {}
        if self._sweep.left <= 0:
            return {"…": "left out"}
        try:
            variables = frame.f_locals
            if variables is frame.f_globals:
                # Of a module, its locals are all its globals.
                return found
            path = f"locals.{frame.f_code.co_name}."
            for name, value in list(variables.items()):
                if len(found) >= LOCALS_MAX:
                    found["…"] = "more"
                    break
                if type(value) not in _SILENT and not name.startswith("__"):
                    found[name] = self._told(name, value, path + name)
        except Exception as error:  # noqa: BLE001 - variables are an extra; the failure is told without them
            found["…"] = f"not to be had: {type(error).__name__}"
        return found

    def _told(self, name: str, value: Any, path: str) -> str:
        sweep = self._sweep
        if type(value) in _SMALL or sweep.secret(name):
            clean = sweep.named(name, value, path)
            return clean if type(clean) is str and type(value) is not str else repr(clean)
        known = self._known.get(id(value))
        if known is None:
            outside = sweep.found, sweep.left
            # A large one takes nothing from the others: of each the beginning is told.
            sweep.found, sweep.left = {}, LOCAL_LOOK_MAX
            try:
                text = self._text(value)
            finally:
                within = sweep.found
                sweep.found, sweep.left = outside
            # The value is kept with it, so that no other gets its id.
            known = self._known[id(value)] = value, text, within
        sweep.left -= len(known[1])
        for where, rule in known[2].items():
            sweep.note(path + where, rule)
        return known[1]

    def _text(self, value: Any) -> str:
        """A value scrubbed and bounded; what is scrubbed in it is noted by its path within the value."""
        clean = self._sweep.value(value if type(value) in _PLAIN else shown(value), "", 1)
        text = clean if type(clean) is str and type(value) is not str else repr(clean)
        return text if len(text) <= LOCAL_TEXT_MAX else f"{text[:LOCAL_TEXT_MAX]}…"


_SILENT: Final = frozenset({ModuleType, FunctionType, BuiltinFunctionType, type})
_SMALL: Final = frozenset({int, float, bool, type(None)})
_PLAIN: Final = frozenset({str, dict, list, tuple})
