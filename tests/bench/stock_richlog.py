"""The stock way to tail a file in Textual: a RichLog, and a timer that reads on. A peer of the dashboard's logs screen."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App
from textual.widgets import RichLog

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Stock(App[None]):
    """Writes what a file has, and what is appended to it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open(encoding="utf-8")

    def compose(self) -> ComposeResult:
        """A log and nothing else."""
        yield RichLog(max_lines=100_000)

    def on_mount(self) -> None:
        """Read on ten times a second."""
        self._read()
        self.set_interval(0.1, self._read)

    def _read(self) -> None:
        log = self.query_one(RichLog)
        for line in self._file:
            log.write(line.rstrip("\n"))


if __name__ == "__main__":
    Stock(Path(sys.argv[1])).run()
