"""Metric filters at work: what was written since they last looked, as values of metrics.

A filter's progress and what it found are written in one transaction: each event counts once, over restarts, whichever
process writes and however many read on. So nothing has to run: whoever asks for values lets the filters catch up first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lambdalog.local.logs.filters import METRIC, Record, records
from lambdalog.local.logs.transformation import Transformation, transformation
from lambdalog.store.arrivals import Arrivals

if TYPE_CHECKING:
    import threading

    from lambdalog.local.logs.ledger import Ledger
    from lambdalog.store import GroupInfo, LogStore

# Before events expire, and before a reader would have to wait long for the filters to catch up.
EVERY_SECONDS: Final = 30.0


class MetricFeed:
    """Lets metric filters read on."""

    def __init__(self, store: LogStore, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger

    def run(self, stop: threading.Event) -> None:
        """Catch up again and again, until `stop` is set."""
        while not stop.wait(EVERY_SECONDS):
            self.catch_up()
            self.forget()

    def catch_up(self) -> None:
        """Read what every metric filter of the store has not read yet."""
        for info in self._store.catalog.groups():
            for record in records(info, METRIC).values():
                self._filter(info, record)

    def forget(self) -> None:
        """Let go of segments that were removed."""
        for info in self._store.catalog.groups():
            for record in records(info, METRIC).values():
                try:
                    there = Arrivals(self._store, info.name).segments()
                except KeyError:
                    continue
                gone = self._ledger.progress(record["id"]).keys() - there
                if gone:
                    self._ledger.forget_segments(record["id"], gone)

    def _filter(self, info: GroupInfo, record: Record) -> None:
        from lambdalog.query.pattern import parse

        pattern = parse(record["pattern"])
        wanted = [transformation(each, pattern) for each in record["transformations"]]
        # Whatever comes counts where there is a default value; else what can't match need not be decoded.
        literals = () if any(each.default is not None for each in wanted) else pattern.literals
        arrivals = Arrivals(self._store, info.name)
        while True:
            try:
                if self._read_on(arrivals, record["id"], wanted, literals):
                    return
            except KeyError:
                return  # the group is gone

    def _read_on(
        self, arrivals: Arrivals, identity: str, wanted: list[Transformation], literals: tuple[str, ...]
    ) -> bool:
        """Whether all was read; False: another reader was sooner, and it is to be looked at again."""
        for piece in arrivals.after(self._ledger.progress(identity), literals=literals):
            values = [value for each in wanted for value in each.values(piece.events)]
            if not self._ledger.advance(identity, piece, values):
                return False
        return True
