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
    """`stdout` or `stderr` of `sys`, whatever it is at the time of writing.

    `lost`: the lines that it, or who else they were for, didn't take.
    """

    def __init__(self, name: str = "stdout") -> None:
        self._name = name
        self.pretty: Callable[[bytes], str] | None = None
        # Who else a logger's lines are for: pytest's caplog.
        self.heard: Callable[[bytes], None] | None = None
        self.lost = 0
        self._told = 0
        self._torn = False
        self._stream: Any = None
        # What lines go to without a detour; None where they need one.
        self._descriptor: int | None = None
        # Re-entrant: a signal handler may log while a line is being written.
        self._lock = threading.RLock()
        after_fork(self._forked)

    def write(self, line: bytes) -> None:
        """Write one line, given without its line break."""
        try:
            with self._lock:
                stream = getattr(sys, self._name)
                if stream is not self._stream:
                    self._use(stream)
                lost = self.lost
                if lost != self._told:
                    line = _telling(line, lost - self._told)
                if self._descriptor is None:
                    self._show(stream, line)
                else:
                    # What print() left in the buffer was said before; a closed stream refuses here.
                    stream.flush()
                    data = b"\n" + line + b"\n" if self._torn else line + b"\n"
                    written = os.write(self._descriptor, data)
                    self._torn = False
                    if written != len(data):
                        self._finish(self._descriptor, data[written:])
                self._told = lost
        except Exception:  # noqa: BLE001 - what standard output does must not become the function's failure
            self.lost += 1

    def unheard(self) -> None:
        """Count a line that was written, but that who else it was for didn't take: no line has to tell of it here."""
        with self._lock:
            self.lost += 1
            self._told += 1

    def _use(self, stream: Any) -> None:
        self.pretty = _for_people(stream)
        self.heard = _for_caplog()
        self._descriptor = _descriptor(stream) if self.pretty is None else None
        self._stream = stream

    def _show(self, stream: Any, line: bytes) -> None:
        """Write to a terminal, or to what stands in for a stream."""
        if self.pretty is not None:
            _print(stream, self.pretty(line) + "\n")
            return
        stream.flush()
        raw = getattr(stream, "buffer", None)
        if raw is None:
            stream.write(line.decode("utf-8", "replace") + "\n")
        else:
            raw.write(line + b"\n")
            raw.flush()
        stream.flush()

    def _finish(self, descriptor: int, data: bytes) -> None:
        """What a write left over. A disk that gets full takes a part: the next line must not be glued to it."""
        self._torn = True
        rest = memoryview(data)
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


def _for_caplog() -> Callable[[bytes], None] | None:
    """What hands lines to pytest's caplog; None where no pytest runs."""
    if "_pytest.logging" not in sys.modules:
        return None
    from lambdalog.instrument.caplog import hand_over

    return hand_over


def _print(stream: Any, text: str) -> None:
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
