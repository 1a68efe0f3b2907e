"""Following a source through its troubles: it goes on where it was, so nothing is lost and nothing comes twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from lambdalog.tail import Following, Line


def going_on(
    following: Following, seconds: float, stop: threading.Event, failed: Callable[[Exception], None]
) -> Iterator[tuple[list[Line], list[str]]]:
    """Lines and notes of polls of so many seconds, until `stop` is set; then it is closed.

    What a poll raises is told to `failed`, which waits as long as it likes before the next one. Nothing is yielded for a
    poll without lines and notes, but after a failure: that it is overcome.
    """
    troubled = False
    try:
        while not stop.is_set():
            try:
                lines, notes = following.poll(seconds), following.notes()
            except Exception as error:  # noqa: BLE001 - whatever the source says is told, and following goes on
                troubled = True
                failed(error)
                continue
            if lines or notes or troubled:
                troubled = False
                yield lines, notes
    finally:
        following.close()
