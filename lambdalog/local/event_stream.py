"""Answers that go on: what a double gives where boto3's client gives its EventStream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Event = Mapping[str, Any]


class EventStream:
    """The events of an answer, each a dict of one member: `{"sessionUpdate": {...}}`. Read it once, and close it.

    `events` may wait for the next, and may raise a ClientError, whose code is the name of one of the stream's exceptions:
    it ends the stream. `endless` tells a stream that ends only when its reader leaves (a live tail): it has to yield at
    least once a second, and is cut when a served store stops; any other gets its time. `on_close` is called once, when the
    stream has ended or was left.
    """

    def __init__(
        self, events: Iterable[Event], *, endless: bool = False, on_close: Callable[[], object] | None = None
    ) -> None:
        self.endless = endless
        self._events = iter(events)
        self._on_close = on_close

    def __iter__(self) -> Iterator[Event]:
        try:
            yield from self._events
        finally:
            self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave it: what it holds open is let go of. In the thread that reads it; closed twice is closed."""
        events, self._events = self._events, iter(())
        done, self._on_close = self._on_close, None
        try:
            close = getattr(events, "close", None)
            if close is not None:
                close()
        finally:
            if done is not None:
                done()
