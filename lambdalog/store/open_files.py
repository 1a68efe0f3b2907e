"""Files that are read on and on: those that change stay open, the least recently changed are closed."""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

OPEN_MAX: Final = 128


class OpenFiles:
    """Descriptors to read with, by path."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, int] = OrderedDict()

    def __contains__(self, path: Path) -> bool:
        return path in self._open

    def descriptor(self, path: Path) -> int:
        """That of a file, opened if it isn't. OSError where it can't be, FileNotFoundError where there is none."""
        fd = self._open.get(path)
        if fd is not None:
            self._open.move_to_end(path)
            return fd
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        while len(self._open) >= OPEN_MAX:
            os.close(self._open.popitem(last=False)[1])
        self._open[path] = fd
        return fd

    def close(self, path: Path) -> None:
        """Let go of a file, if it is open."""
        fd = self._open.pop(path, None)
        if fd is not None:
            os.close(fd)

    def close_in(self, folder: Path) -> None:
        """Let go of the files of a folder."""
        for path in [path for path in self._open if path.parent == folder]:
            self.close(path)

    def close_all(self) -> None:
        """Let go of every file."""
        for path in list(self._open):
            self.close(path)
