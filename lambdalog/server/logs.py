"""What the server says of itself: lines of lambdalog's own logger, on standard error."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lambdalog.instrument.joining import Joined
from lambdalog.instrument.output import Output
from lambdalog.instrument.pretty import pretty

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stderr(Output):
    """Standard error, whatever it is at the time of writing: standard output is the command's own."""

    def _put(self, line: bytes) -> None:
        stream: Any = sys.stderr
        text = line.decode("utf-8", "replace") if self.pretty is None else self.pretty(line)
        stream.write(f"{text}\n")
        stream.flush()


@contextmanager
def told_on_stderr(*, verbose: bool = False) -> Iterator[None]:
    """While it lasts, what lambdalog's modules log goes to standard error: warnings, or with `verbose` each request.

    JSON lines, scrubbed as a function's are; to a terminal, lines for a person.
    """
    output = Stderr()
    if sys.stderr.isatty():
        output.pretty = pretty
    root, handler = logging.getLogger("lambdalog"), Joined(output)
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
