"""Readers beside a served store: each in a thread, started, stopped and begun again as what they read for changes."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from lambdalog.errors import LambdalogError
from lambdalog.local.claim import claim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

logger = logging.getLogger(__name__)

# How soon something to read that was made, changed or deleted is noticed.
LOOK_SECONDS: Final = 0.5
# A reader that failed is begun again after this long.
AGAIN_SECONDS: Final = 1.0


class Reader(Protocol):
    """What reads a source."""

    def run(self, stop: threading.Event) -> None:
        """Read until the event is set."""
        ...


@dataclass(slots=True)
class _Running:
    thread: threading.Thread
    stop: threading.Event
    agreed: tuple[object, ...]


class Readers:
    """Has a thread for each source that is to be read; `run` it beside a served store.

    `wanted` tells which, by name, with what must stay the same for a reader to go on as it is; `make` makes the reader of
    a name; `note` is told what went wrong with it. A source is read by one process alone, which a lock in `locks` tells.
    """

    def __init__(
        self,
        wanted: Callable[[], Mapping[str, tuple[object, ...]]],
        make: Callable[[str], Reader],
        note: Callable[[str, str], None],
        locks: Path,
    ) -> None:
        self._wanted = wanted
        self._make = make
        self._note = note
        self._locks = locks
        self._running: dict[str, _Running] = {}

    def run(self, stop: threading.Event) -> None:
        """Read what is to be read until the event is set; batches that run are finished."""
        try:
            while not stop.is_set():
                self._look()
                stop.wait(LOOK_SECONDS)
        finally:
            for running in self._running.values():
                running.stop.set()
            for running in self._running.values():
                running.thread.join()
            self._running = {}

    def _look(self) -> None:
        wanted = self._wanted()
        for name, running in list(self._running.items()):
            if wanted.get(name) != running.agreed:
                running.stop.set()
                # It begins anew once its last batch is through.
                if not running.thread.is_alive():
                    del self._running[name]
        for name, agreed in wanted.items():
            if name not in self._running:
                stop = threading.Event()
                thread = threading.Thread(
                    target=self._read, args=(name, stop), name=f"lambdalog-source-{name[:8]}", daemon=True
                )
                self._running[name] = _Running(thread, stop, agreed)
                thread.start()

    def _read(self, name: str, stop: threading.Event) -> None:
        told = ""
        while not stop.is_set():
            with claim(self._locks / f"{name}.lock") as mine:
                if mine:
                    try:
                        self._make(name).run(stop)
                        told = ""
                    except Exception as error:
                        # The same trouble is told once, however long it lasts; what isn't ours needs no stack.
                        if told != str(error):
                            known = isinstance(error, BotoCoreError | ClientError | LambdalogError)
                            text = "the source of %s can't be read, and is tried again: %s"
                            logger.log(
                                logging.WARNING if known else logging.ERROR,
                                text,
                                name,
                                error,
                                exc_info=not known,
                            )
                            told = str(error)
                        self._note(name, str(error))
            stop.wait(AGAIN_SECONDS)
