"""Where lines go: one write to standard output, and to whoever else listens. Never raises."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Output:
    """`listeners` get each line too; `lost` counts lines that standard output didn't take."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[bytes], None]] = []
        self.pretty: Callable[[bytes], str] | None = None
        self.lost = 0

    def write(self, line: bytes) -> None:
        """Write one line, given without its line break."""
        try:
            stdout = sys.stdout
            if self.pretty is not None:
                stdout.write(self.pretty(line) + "\n")
            else:
                raw = getattr(stdout, "buffer", None)
                if raw is None:
                    stdout.write(line.decode("utf-8", "replace") + "\n")
                else:
                    stdout.flush()
                    # One write: a line of ours is never torn by another thread's.
                    raw.write(line + b"\n")
                    raw.flush()
            stdout.flush()
        except Exception:  # noqa: BLE001 - a full disk or a closed pipe must not become the function's failure
            self.lost += 1
        for listener in self.listeners:
            try:
                listener(line)
            except Exception:  # noqa: BLE001 - the same for whoever listens
                self.lost += 1


STDOUT = Output()
