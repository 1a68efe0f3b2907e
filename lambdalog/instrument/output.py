"""Where lines go: each one whole, in one write to standard output (a server's, to standard error); to a terminal, as a person reads them. Never raises.

What standard output refuses (a full disk, a closed pipe) is counted, and the next line that gets through says how many
went before it.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from lambdalog.forked import after_fork

if TYPE_CHECKING:
    from collections.abc import Callable


class Output:
    """`stdout` or `stderr` of `sys`, whatever it is at the time of writing. `lost`: the lines it didn't take."""

    def __init__(self, name: str = "stdout") -> None:
        self._name = name
        self.pretty: Callable[[bytes], str] | None = None
        self.lost = 0
        self._untold = 0
        self._torn = False
        self._stream: Any = None
        self._descriptor: int | None = None
        # Re-entrant: a signal handler may log while a line is being written.
        self._lock = threading.RLock()
        after_fork(self._forked)

    def write(self, line: bytes) -> None:
        """Write one line, given without its line break."""
        try:
            with self._lock:
                if self._untold:
                    line = _telling(line, self._untold)
                self._put(line)
                self._untold = 0
        except Exception:  # noqa: BLE001 - what standard output does must not become the function's failure
            self.lost += 1
            self._untold += 1

    def _put(self, line: bytes) -> None:
        stream = getattr(sys, self._name)
        if stream is not self._stream:
            self._descriptor = _descriptor(stream)
            self.pretty = _for_people(stream)
            self._stream = stream
        if self.pretty is not None:
            _show(stream, self.pretty(line) + "\n")
            return
        # What print() left in the buffer was said before; a closed stream refuses here.
        stream.flush()
        if self._descriptor is not None:
            self._all(self._descriptor, line + b"\n")
            return
        raw = getattr(stream, "buffer", None)
        if raw is None:
            stream.write(line.decode("utf-8", "replace") + "\n")
        else:
            raw.write(line + b"\n")
            raw.flush()
        stream.flush()

    def _all(self, descriptor: int, data: bytes) -> None:
        if self._torn:
            data = b"\n" + data
        written = os.write(descriptor, data)
        if written == len(data):
            self._torn = False
            return
        # A disk that gets full takes a part: the next line must not be glued to it.
        rest = memoryview(data)[written:]
        self._torn = True
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        self._torn = False

    def _forked(self) -> None:
        self._lock = threading.RLock()


def _descriptor(stream: Any) -> int | None:
    """The file descriptor under a text stream; None where it has none, as under a test's capture."""
    try:
        return int(stream.fileno()) if stream.buffer is not None else None
    except (AttributeError, OSError, ValueError, TypeError):
        return None


def _for_people(stream: Any) -> Callable[[bytes], str] | None:
    """What makes a line readable, where a person looks on: at a terminal. In Lambda standard output is none."""
    try:
        if not stream.isatty():
            return None
    except (AttributeError, ValueError):
        return None
    from lambdalog.instrument.pretty import plain, pretty

    return plain if os.environ.get("NO_COLOR") else pretty


def _show(stream: Any, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:
        # A terminal that isn't UTF-8: what it doesn't have is written as its escape.
        stream.write(text.encode(stream.encoding, "backslashreplace").decode(stream.encoding))
    stream.flush()


def _telling(line: bytes, lost: int) -> bytes:
    """A rendered line that says how many lines before it were lost."""
    return line[:-1] + b',"linesLost":%d}' % lost if line[-1:] == b"}" and line[:2] != b"{}" else line


STDOUT = Output()
