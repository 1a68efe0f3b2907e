"""Reading one live segment: bisected by time, in blocks of whole lines, a torn tail left out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from lambdalog.errors import StoreError
from lambdalog.store import files, line
from lambdalog.store.writer import DISORDER_MS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK: Final = 256 * 1024
_TAIL: Final = 64 * 1024


class LiveSegment:
    """A live file as it was when first looked into: later lines are not seen. Opened when needed; close it after use."""

    def __init__(self, path: Path, stream: str) -> None:
        self.segment = path.name.removesuffix(".jsonl")
        self.stream = stream
        self._path = path
        self._open_fd = -1
        self._size = -1

    @property
    def _fd(self) -> int:
        if self._open_fd < 0:
            try:
                self._open_fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                raise
            except OSError as error:
                raise StoreError(f"can't read {self._path}: {error.strerror}") from error
        return self._open_fd

    @property
    def size(self) -> int:
        """The bytes of whole lines, as they were when first asked for."""
        if self._size < 0:
            self._size = self._whole(os.fstat(self._fd).st_size)
        return self._size

    def close(self) -> None:
        """Let the file go until it is asked again."""
        if self._open_fd >= 0:
            os.close(self._open_fd)
            self._open_fd = -1

    def earliest(self) -> int:
        """No event of the segment is older than this (epoch ms)."""
        return files.first_ms(self.segment) - DISORDER_MS

    def latest(self) -> int | None:
        """No event of the segment is newer than this; None if it holds none."""
        last = self.last_line()
        return None if last is None else line.timestamp_of(last) + DISORDER_MS

    def first_line(self) -> bytes | None:
        """The first line without its line break, or None."""
        return self._line_from(0) if self.size else None

    def last_line(self) -> bytes | None:
        """The last whole line without its line break, or None."""
        if not self.size:
            return None
        start, data = self.size, b""
        while start > 0:
            step = min(_TAIL, start)
            start -= step
            data = os.pread(self._fd, step, start) + data
            cut = data.rfind(b"\n", 0, len(data) - 1)
            if cut >= 0:
                return data[cut + 1 : -1]
        return data[:-1]

    def blocks(self, start: int | None, end: int | None, *, descending: bool) -> Iterator[tuple[int, bytes]]:
        """(offset, whole lines) that cover `start` ≤ t < `end`; the newest block first if `descending`."""
        low = 0 if start is None else self._before(start - DISORDER_MS)
        high = self.size if end is None else self._from(end + DISORDER_MS, low)
        if descending:
            yield from self._backward(low, high)
        else:
            yield from self._forward(low, high)

    def offset_at(self, start: int) -> int:
        """An offset before which every event is older than `start`."""
        return self._before(start - DISORDER_MS)

    def read(self, offset: int) -> bytes:
        """Whole lines from `offset` up to the size at opening."""
        return os.pread(self._fd, max(self.size - offset, 0), offset)

    # --- bisecting

    def _before(self, time: int) -> int:
        """The start of a line such that all lines before it are older than `time` + DISORDER_MS."""
        low, high = 0, self.size
        while high - low > BLOCK:
            middle = (low + high) // 2
            found = self._line_at(middle)
            if found is None or found[1] >= time:
                high = middle
            else:
                low = found[0]
        return low

    def _from(self, time: int, low: int) -> int:
        """The start of a line such that it and all lines after it are newer than `time` - DISORDER_MS."""
        high = self.size
        while high - low > BLOCK:
            middle = (low + high) // 2
            found = self._line_at(middle)
            if found is None:
                return high
            if found[1] > time:
                # `found` begins after the middle; a long line there must not stop the search from ending.
                if found[0] == high:
                    return high
                high = found[0]
            else:
                low = middle
        return high

    def _line_at(self, offset: int) -> tuple[int, int] | None:
        """(offset, time) of the first line that begins after `offset`."""
        position = offset
        while position < self.size:
            data = os.pread(self._fd, 8192, position)
            cut = data.find(b"\n")
            if cut >= 0:
                begin = position + cut + 1
                if begin >= self.size:
                    return None
                return begin, line.timestamp_of(os.pread(self._fd, 18, begin))
            position += len(data)
        return None

    # --- blocks

    def _forward(self, low: int, high: int) -> Iterator[tuple[int, bytes]]:
        position = low
        while position < high:
            data = os.pread(self._fd, min(BLOCK, high - position), position)
            cut = data.rfind(b"\n") + 1
            if not cut:
                data = self._line_from(position) + b"\n"
                cut = len(data)
            yield position, data[:cut]
            position += cut

    def _backward(self, low: int, high: int) -> Iterator[tuple[int, bytes]]:
        end = high
        while end > low:
            start = max(low, end - BLOCK)
            data = os.pread(self._fd, end - start, start)
            while start > low:
                cut = data.find(b"\n") + 1
                if 0 < cut < len(data):
                    start, data = start + cut, data[cut:]
                    break
                step = min(BLOCK, start - low)
                start -= step
                data = os.pread(self._fd, step, start) + data
            yield start, data
            end = start

    def _line_from(self, offset: int) -> bytes:
        data = b""
        while True:
            piece = os.pread(self._fd, BLOCK, offset + len(data))
            cut = piece.find(b"\n")
            if cut >= 0:
                return data + piece[:cut]
            data += piece

    def _whole(self, size: int) -> int:
        """`size` without a line that is still being written, or that a crash cut short."""
        while size > 0:
            step = min(_TAIL, size)
            cut = os.pread(self._fd, step, size - step).rfind(b"\n")
            if cut >= 0:
                return size - step + cut + 1
            size -= step
        return 0
