"""A store's upkeep, again and again while it is read or served.

Sealing takes a second of Python for each 40 MB, in which no thread beside it is quick: where much may have to be sealed, a
process of its own does it, `python -m lambdalog.store.keeping PATH DURABILITY DESCRIPTOR`.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from lambdalog.clock import SYSTEM
from lambdalog.errors import LambdalogError, StoreError
from lambdalog.store.logs import LogStore
from lambdalog.store.maintenance import IDLE_SECONDS, SMALL_BYTES, maintain

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from lambdalog.store.writer import Durability

# With so much in live files a process is begun, which takes 0.1 s of a processor; less is sealed in a hundredth of that.
APART_BYTES: Final = SMALL_BYTES
# How often whoever waits for it is asked whether it still does.
_POLL_SECONDS: Final = 0.2
# Whoever is asked something meanwhile goes first.
_NICE: Final = 5


def keep_up(
    store: LogStore,
    stop: threading.Event,
    *,
    seconds: float = 60.0,
    failed: Callable[[LambdalogError], None],
) -> None:
    """Maintain the store again and again until `stop` is set: what whoever reads or serves runs in a thread.

    `failed` is told what went wrong (a full disk, say); the next turn tries again.
    """
    while not store.clock.wait(stop, seconds):
        store.release(IDLE_SECONDS)
        try:
            # Another process has the system's time, not an injected clock's.
            if store.clock is SYSTEM and _live_bytes(store) >= APART_BYTES:
                _apart(store, stop)
            else:
                maintain(store, everything=False)
        except LambdalogError as error:
            failed(error)


def _live_bytes(store: LogStore) -> int:
    total = 0
    for group in store.groups():
        live = store.layout.group(group).live
        with suppress(FileNotFoundError), os.scandir(live) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # sealed meanwhile
                    total += entry.stat().st_size
    return total


def _apart(store: LogStore, stop: threading.Event) -> None:
    """One turn of another process, which is ended wherever it is when `stop` is set: a run may be killed at any moment. StoreError."""
    from lambdalog.child import Child  # only where there is much to do

    try:
        child = Child("-m", "lambdalog.store.keeping", str(store.root), store.durability)
    except OSError as error:
        raise StoreError(f"no process for it can be begun: {error}") from error
    try:
        while not child.connection.poll(_POLL_SECONDS):
            if stop.is_set():
                return
        what = child.connection.recv()
    except (EOFError, OSError):
        raise StoreError("the process that did it ended early") from None
    finally:
        child.kill()
    if what is not None:
        raise StoreError(what)


def main(path: str, durability: str, descriptor: str) -> None:
    """One turn; what went wrong, or None, goes over the line."""
    from multiprocessing.connection import Connection

    os.nice(_NICE)
    with (
        Connection(int(descriptor)) as line,
        LogStore(Path(path), durability=cast("Durability", durability)) as store,
    ):
        what = None
        try:
            maintain(store, everything=False)
        except LambdalogError as error:
            what = str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told where somebody reads it
            what = f"{type(error).__name__}: {error}"
        with suppress(OSError):  # whoever began it is gone
            line.send(what)


if __name__ == "__main__":
    main(*sys.argv[1:])
