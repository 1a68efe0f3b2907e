"""What the server says of itself: lines of lambdalog's own logger, on standard error."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambdalog.instrument.joining import Joined
from lambdalog.instrument.output import Output

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def told_on_stderr(*, verbose: bool = False) -> Iterator[None]:
    """While it lasts, what lambdalog's modules log goes to standard error: warnings, or with `verbose` each request.

    JSON lines, scrubbed as a function's are; to a terminal, lines for a person.
    """
    root, handler = logging.getLogger("lambdalog"), Joined(Output("stderr"))
    level, propagates = root.level, root.propagate
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose else logging.WARNING)
    root.propagate = False
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        root.propagate = propagates
