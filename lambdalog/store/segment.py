"""Reading one live segment: bisected by time, in blocks of whole lines, a torn tail left out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Protocol

from lambdalog.errors import StoreError
from lambdalog.store import files, line
from lambdalog.store.writer import DISORDER_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BLOCK: Final = 256 * 1024
# The first page of many segments is in their first lines: reading begins small.
PIECE: Final = 16 * 1024
# A file of no more than this part of a block is read at once.
_SHARE: Final = 4
# Most lines are shorter; for the end of one that is longer, more is read.
_PROBE: Final = 1024
_TAIL: Final = 64 * 1024
_FAR: Final = 1 << 62


class SealedBytes(Protocol):
    """A segment's bytes after it was sealed."""

    size: int

    def pread(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes from `offset` on."""
        ...


class LiveSegment:
    """A live file as it was when first looked into: later lines are not seen.

    Opened when needed; close it after use. If it is sealed meanwhile, `sealed` gives the same bytes; where that gives
    None (expired, deleted) reading raises FileNotFoundError.
    """

    def __init__(
        self,
        path: str | Path,
        stream: str,
        sealed: Callable[[str], SealedBytes | None] = lambda _: None,
        *,
        block: int = BLOCK,
    ) -> None:
        self.segment = os.fspath(path).rpartition(os.sep)[2].removesuffix(files.LIVE_SUFFIX)
        self.stream = stream
        self.block = block
        self.path = path
        self._find_sealed = sealed
        self._sealed: SealedBytes | None = None
        self._fd = -1
        self._size = -1
        # All of it, where that is little.
        self._read: bytes | None = None

    @property
    def size(self) -> int:
        """The bytes of whole lines, as they were when first asked for."""
        if self._size < 0:
            self._size = self._whole(self._looked_into() if self._opened() else self._bytes.size)
        return self._size

    def close(self) -> None:
        """Let the file go until it is asked again."""
        self._read = None
        self._let_go()

    def _let_go(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _opened(self) -> bool:
        """Whether the live file is open; False: it was sealed."""
        if self._sealed is None and self._fd < 0:
            try:
                self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                self._sealed = self._find_sealed(self.segment)
                if self._sealed is None:
                    raise
            except OSError as error:
                raise StoreError(f"can't read {self.path}: {error.strerror}") from error
        return self._sealed is None

    def _looked_into(self) -> int:
        """How many bytes there are; where they are few, they are read."""
        size = os.fstat(self._fd).st_size
        if size <= self.block // _SHARE:
            self._read = os.pread(self._fd, size, 0)
            size = len(self._read)
        return size

    @property
    def _bytes(self) -> SealedBytes:
        assert self._sealed is not None
        return self._sealed

    def _pread(self, size: int, offset: int) -> bytes:
        if self._read is not None:
            return self._read[offset : offset + size]
        if self._opened():
            return os.pread(self._fd, size, offset)
        return self._bytes.pread(size, offset)

    def earliest(self) -> int:
        """No event of the segment is older than this (epoch ms)."""
        return files.first_ms(self.segment) - DISORDER_MS

    def latest(self) -> int | None:
        """No event of the segment is newer than this; None if it holds none."""
        last = self.last_line()
        if last is None:
            return None
        return line.timestamp_of(last) + DISORDER_MS if line.is_whole(last) else _FAR

    def first_line(self) -> bytes | None:
        """The first line without its line break, or None."""
        return self._line_from(0) if self.size else None

    def last_line(self) -> bytes | None:
        """The last whole line without its line break, or None."""
        if not self.size:
            return None
        start, data, step = self.size, b"", _PROBE
        while start > 0:
            step = min(step, start)
            start -= step
            data = self._pread(step, start) + data
            cut = data.rfind(b"\n", 0, len(data) - 1)
            if cut >= 0:
                return data[cut + 1 : -1]
            step = _TAIL
        return data[:-1]

    def blocks(self, start: int | None, end: int | None, *, descending: bool) -> Iterator[tuple[int, bytes]]:
        """(offset, whole lines) that cover `start` ≤ t < `end`; the newest block first if `descending`."""
        low = 0 if start is None else self._before(start - DISORDER_MS)
        if descending:
            yield from self._backward(low, self.size if end is None else self._from(end + DISORDER_MS, low))
            return
        for offset, data in self._forward(low, self.size):
            if end is not None and line.has_time(data) and line.timestamp_of(data) >= end + DISORDER_MS:
                return  # as is all that follows
            yield offset, data

    def blocks_from(self, offset: int) -> Iterator[tuple[int, bytes]]:
        """(offset, whole lines) from the line at `offset` on."""
        yield from self._forward(offset, self.size)

    def offset_at(self, start: int) -> int:
        """An offset before which every event is older than `start`."""
        return self._before(start - DISORDER_MS)

    # --- bisecting

    def _before(self, time: int) -> int:
        """The start of a line such that all lines before it are older than `time` + DISORDER_MS."""
        low, high = 0, self.size
        while high - low > min(PIECE, self.block):
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
        while high - low > min(PIECE, self.block):
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
        position, step = offset, _PROBE
        while position < self.size:
            data = self._pread(step, position)
            cut = data.find(b"\n")
            if cut >= 0:
                begin = position + cut + 1
                if begin >= self.size:
                    return None
                head = data[cut + 1 : cut + 19]
                if len(head) < 18:
                    head = self._pread(18, begin)
                if line.has_time(head):
                    return begin, line.timestamp_of(head)
                position = begin  # not one of ours: what a power cut left, or somebody's hand
                continue
            position += len(data)
            step = _TAIL
        return None

    # --- blocks

    def _forward(self, low: int, high: int) -> Iterator[tuple[int, bytes]]:
        position, size = low, min(PIECE, self.block)
        while position < high:
            data = self._pread(min(size, high - position), position)
            size = min(size * 2, self.block)
            cut = data.rfind(b"\n") + 1
            if not cut:
                data = self._line_from(position) + b"\n"
                cut = len(data)
            self._let_go()  # many may be read at once
            yield position, data[:cut]
            position += cut

    def _backward(self, low: int, high: int) -> Iterator[tuple[int, bytes]]:
        end, size = high, min(PIECE, self.block)
        while end > low:
            start = max(low, end - size)
            size = min(size * 2, self.block)
            data = self._pread(end - start, start)
            while start > low:
                cut = data.find(b"\n") + 1
                if 0 < cut < len(data):
                    start, data = start + cut, data[cut:]
                    break
                step = min(self.block, start - low)
                start -= step
                data = self._pread(step, start) + data
            self._let_go()
            yield start, data
            end = start

    def _line_from(self, offset: int) -> bytes:
        data = b""
        while True:
            piece = self._pread(self.block, offset + len(data))
            cut = piece.find(b"\n")
            if cut >= 0:
                return data + piece[:cut]
            if not piece:
                raise StoreError(f"{self.path} was cut short while it was read")
            data += piece

    def _whole(self, size: int) -> int:
        """`size` without a line that is still being written, or that a crash cut short."""
        step = _PROBE
        while size > 0:
            step = min(step, size)
            cut = self._pread(step, size - step).rfind(b"\n")
            if cut >= 0:
                return size - step + cut + 1
            size -= step
            step = _TAIL
        return 0
