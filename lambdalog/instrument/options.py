"""What `@handler(…)` takes: judged when the function is defined, not at the first event."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambdalog.instrument.scrub import Scrubber


# Not a dataclass: making one takes longer than all else that this module's import does, in every cold start.
class Options(NamedTuple):
    """What `@handler(…)` takes; see there."""

    permanent: tuple[type[BaseException], ...] = ()
    dead_letter: str | None = None
    timeout_warning: float | None = 0.5
    correlation: tuple[tuple[str | int, ...], ...] = ()
    sample: float = 0.0
    debug_ring: int = 0
    scrub: Scrubber | None = None
    capture_event: bool = True
    capture_locals: bool = True
    flush: float | None = 2.0


def checked(
    *,
    permanent: type[BaseException] | Iterable[type[BaseException]] = (),
    dead_letter: str | None = None,
    timeout_warning: float | None = 0.5,
    correlation: str | None = None,
    sample: float | None = None,
    debug_ring: int | None = None,
    scrub: Scrubber | None = None,
    capture_event: bool = True,
    capture_locals: bool = True,
    flush: float | None = 2.0,
) -> Options:
    """The decorator's arguments as options. TypeError, ValueError for wrong ones, when the function is defined."""
    kinds = (permanent,) if isinstance(permanent, type) else tuple(permanent)
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError(f"permanent names exception classes, not {kind!r}")
    if bool(kinds) != (dead_letter is not None):
        raise ValueError("permanent and dead_letter go together: which exceptions, and where their events go")
    if timeout_warning is not None and not _at_least_none(timeout_warning):
        raise ValueError(f"timeout_warning is a number of seconds, or None, not {timeout_warning!r}")
    if sample is not None and not (_at_least_none(sample) and sample <= 1):
        raise ValueError(f"sample is a share from 0 to 1, not {sample!r}")
    if debug_ring is not None and not (_at_least_none(debug_ring) and debug_ring == int(debug_ring)):
        raise ValueError(f"debug_ring is a number of lines, not {debug_ring!r}")
    if flush is not None and not _at_least_none(flush):
        raise ValueError(f"flush is a number of seconds, or None, not {flush!r}")
    if scrub is not None and not callable(getattr(scrub, "secret", None)):
        raise TypeError(f"scrub takes a lambdalog.instrument.scrub.Scrubber, not a {type(scrub).__name__}")
    paths: tuple[tuple[str | int, ...], ...] = ()
    if correlation is not None:
        from lambdalog.instrument.correlation import parse

        paths = parse(correlation)
    return Options(
        permanent=kinds,
        dead_letter=dead_letter,
        timeout_warning=timeout_warning or None,
        correlation=paths,
        sample=min(_number("LAMBDALOG_SAMPLE"), 1.0) if sample is None else sample,
        debug_ring=int(_number("LAMBDALOG_DEBUG_RING")) if debug_ring is None else debug_ring,
        scrub=scrub,
        capture_event=capture_event,
        capture_locals=capture_locals,
        flush=flush,
    )


# What Python calls it where an argument is none of these.
checked.__qualname__ = "handler"


def _at_least_none(value: object) -> bool:
    return isinstance(value, (int, float)) and 0 <= value < float("inf")


def _number(variable: str) -> float:
    """A number from the environment; one that isn't doesn't stop a function."""
    try:
        found = float(os.environ.get(variable) or 0)
    except ValueError:
        return 0.0
    return found if 0 <= found < 10**9 else 0.0
