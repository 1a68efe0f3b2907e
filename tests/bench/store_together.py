"""What is read to its end by as many processes as there are processors, beside one process."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Final

from lambdalog import settings
from lambdalog.query import crew
from lambdalog.query.insights import Run, read
from lambdalog.query.pattern import parse
from lambdalog.store import LogStore, Scan
from lambdalog.store.maintenance import maintain
from tests.bench.harness import Bench, Figure, Row, milliseconds
from tests.bench.store_events import EVENTS, GROUP, STREAMS, invocations, new_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# So many invocations are written at once: what is measured comes after.
_CHUNK: Final = 3000
_PATTERNS: Final = (
    "%invoice.*ms.:99[.][0-9]%",
    "{ $.ms > 99.9 }",
    "invoice",
    "no line has this",
)
_STATS: Final = (
    "stats count(*), pct(ms, 99), avg(ms) by level",
    'filter level = "ERROR" | stats avg(ms) by bin(5m)',
)


def together(folder: Path) -> Iterator[Row]:
    """Patterns looked for in all of a day, and stats over it; what memory that takes."""
    root = folder / "store"
    _fill(root)
    with LogStore(root) as store:
        for text in _PATTERNS:
            yield _row(f"all of a day that match {text}", _matching(store, text))
        for text in _STATS:
            yield _row(text.replace("|", "\\|"), _counting(store, text))
    yield Row("memory of a process that asks all of this with others", _peak(_ASKING, root))
    yield Row("memory of a worker", _peak(_WORKING, root))


def _row(what: str, ask: Callable[[], object]) -> Row:
    count = settings.processes()
    ours = milliseconds(ask, times=1)
    with _processes(1):
        peer = milliseconds(ask, times=1)
    return Row(f"{what}; by {count} processes", ours, "one process", peer)


def _matching(store: LogStore, text: str) -> Callable[[], object]:
    pattern = parse(text)
    scan = Scan(GROUP, match=pattern.matches, literals=pattern.literals)
    return lambda: sum(1 for _ in crew.events(store, [scan], pattern.wording))


def _counting(store: LogStore, text: str) -> Callable[[], object]:
    return lambda: list(Run(read(text), store, [GROUP], start=None, end=None).rows())


@contextmanager
def _processes(count: int) -> Iterator[None]:
    before = os.environ.get(settings.PROCESSES_VARIABLE)
    os.environ[settings.PROCESSES_VARIABLE] = str(count)
    try:
        yield
    finally:
        if before is None:
            del os.environ[settings.PROCESSES_VARIABLE]
        else:
            os.environ[settings.PROCESSES_VARIABLE] = before


def _fill(root: Path) -> None:
    with new_store(root, STREAMS) as store:
        made = invocations(EVENTS)
        while chunk := list(islice(made, _CHUNK)):
            by_stream: dict[int, list[tuple[int, str]]] = {}
            for lines in chunk:
                for stream, time, text in lines:
                    by_stream.setdefault(stream, []).append((time, text))
            for stream, events in by_stream.items():
                store.append(GROUP, f"s{stream}", events)
        store.close()
        maintain(store)


def _peak(script: str, root: Path) -> Figure:
    found = subprocess.run([sys.executable, "-c", script, str(root)], stdout=subprocess.PIPE, check=True)
    return Figure(int(found.stdout) / 1e6, "MB")


_ASKING: Final = """
import sys
from pathlib import Path
from tests.bench.harness import peak_bytes
from tests.bench.store_together import LogStore, ask_all
with LogStore(Path(sys.argv[1])) as store:
    ask_all(store)
print(peak_bytes())
"""
_WORKING: Final = """
import sys
from pathlib import Path
from lambdalog.query.pattern import parse
from lambdalog.query.worker import EventsTask
from lambdalog.store import LogStore, Scan
from tests.bench.harness import peak_bytes
from tests.bench.store_events import GROUP
with LogStore(Path(sys.argv[1])) as store:
    task = EventsTask(str(store.root), store.clock.now_ms(), parse("invoice").wording, (Scan(GROUP, literals=("invoice",)),))
    for _ in task.work(store):
        pass
print(peak_bytes())
"""


def ask_all(store: LogStore) -> None:
    """Everything once."""
    for text in _PATTERNS:
        _matching(store, text)()
    for text in _STATS:
        _counting(store, text)()


def benches() -> list[Bench]:
    """What there is."""
    return [Bench("store.together", together)]
