"""A program in a terminal of its own: what it draws, how much CPU and memory that takes. Linux."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

_ESCAPES: Final = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B]|[=>78M])"
)
# A program asks whether frames can be marked (mode 2026); we say yes, and count them.
_ASKED: Final = b"\x1b[?2026$p"
_YES: Final = b"\x1b[?2026;2$y"
_FRAME: Final = b"\x1b[?2026h"
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Terminal:
    """Runs a command in a pseudo-terminal, 120 columns by 36 rows."""

    def __init__(self, command: Sequence[str], *, size: tuple[int, int] = (120, 36)) -> None:
        self._fd, there = pty.openpty()
        fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        os.set_blocking(self._fd, False)
        self.begun = time.monotonic()
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        # What is installed is compiled; what runs from a source tree should be after its first run, too.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self._process = subprocess.Popen(
            command,
            stdin=there,
            stdout=there,
            stderr=there,
            env=environment,
            start_new_session=True,
            # Its own terminal hangs up on it when this process ends, however it ends.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no other threads here
        )
        os.close(there)
        self._drawn = b""
        self.frames = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._fd)

    def press(self, keys: str) -> None:
        """Type; what was drawn before is forgotten."""
        self.look(0)
        self._drawn = b""
        data = keys.encode()
        while data:
            with suppress(BlockingIOError):
                data = data[os.write(self._fd, data) :]

    def look(self, seconds: float) -> None:
        """Take what is drawn for so long."""
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            if select.select([self._fd], [], [], max(left, 0))[0]:
                try:
                    data = os.read(self._fd, 1 << 20)
                except (BlockingIOError, OSError):
                    return
                self.frames += data.count(_FRAME)
                if _ASKED in data:
                    os.write(self._fd, _YES)
                self._drawn = (self._drawn + data)[-(1 << 20) :]
            elif left <= 0:
                return

    def wait(self, pattern: str, *, seconds: float = 120.0) -> float:
        """Until the text of what was drawn fits a pattern; how long that took. TimeoutError with what was drawn."""
        begin = time.monotonic()
        wanted = re.compile(pattern)
        while not wanted.search(self.text):
            if time.monotonic() - begin > seconds or self._process.poll() is not None:
                raise TimeoutError(f"{pattern!r} was never drawn; the last was {self.text[-300:]!r}")
            self.look(0.002)
        return time.monotonic() - begin

    def ended(self, seconds: float = 60.0) -> int:
        """Its status, once it has ended. What it still draws is taken, or it would wait for that. TimeoutExpired."""
        until = time.monotonic() + seconds
        while True:
            self.look(0)
            with suppress(subprocess.TimeoutExpired):
                status = self._process.wait(0.02)
                self.look(0)
                return status
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(self._process.args, seconds)

    @property
    def text(self) -> str:
        """What was drawn since the last keys, without what moves the cursor."""
        return _ESCAPES.sub(b"", self._drawn).decode(errors="replace")

    @property
    def cpu(self) -> float:
        """Seconds of CPU that the program and its children took."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(ticks) for ticks in fields[11:15]) / _TICKS

    @property
    def rss(self) -> float:
        """Its largest resident size, MB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found.group(1)) / 1024 if found else 0.0
