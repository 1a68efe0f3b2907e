"""What functions did, minute by minute and version by version; from it, how they fare over any stretch of time.

The book is bounded: of each version it holds a page for each minute that something happened in, `minutes` at most.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from lambdalog.health.sketch import Sketch
from lambdalog.invocations.marks import function_of, version_of
from lambdalog.invocations.roll import named
from lambdalog.prices import gb_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambdalog.invocations.marks import Mark

MINUTE_MS: Final = 60_000
MINUTES_MAX: Final = 24 * 60
# Errors are told before the REPORT that counts them; those of invocations that never report are let go.
RUNNING_MAX: Final = 10_000

_OWN: Final = "/aws/lambda/"


class Who(NamedTuple):
    """A version of a function by its log: the group, the version, and the function's name where the group isn't its own.

    `function` is "" in a function's own group, which bears the name, and where nothing tells it.
    """

    group: str
    version: str
    function: str = ""

    @classmethod
    def of(cls, name: str, group: str, version: str) -> Self:
        """Of a function that logs to a group."""
        return cls(group, version, "" if group == _OWN + name else name)

    @property
    def name(self) -> str:
        """The function's name, as far as its log tells."""
        return self.function or self.group.removeprefix(_OWN)


@dataclass(slots=True)
class Page:
    """One version's minute. ms, MB and GB-seconds."""

    reports: int = 0
    errors: int = 0
    timeouts: int = 0
    cold: int = 0
    billed: float = 0.0
    memory_mb: int = 0
    max_memory_mb: int = 0
    durations: Sketch = field(default_factory=Sketch)
    inits: Sketch = field(default_factory=Sketch)
    kinds: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Health:
    """How a version fared. Durations in ms, None where nothing ran; `trend` is (invocations, errors) a stretch."""

    invocations: int
    errors: int
    timeouts: int
    cold: int
    p50: float | None
    p95: float | None
    p99: float | None
    init_p50: float | None
    memory_mb: int
    max_memory_mb: int
    gb_seconds: float
    kinds: tuple[tuple[str, int], ...]
    trend: tuple[tuple[int, int], ...]

    @property
    def error_share(self) -> float:
        """Of the invocations, 0 to 1."""
        return self.errors / self.invocations if self.invocations else 0.0

    @property
    def cold_share(self) -> float:
        """Of the invocations, 0 to 1."""
        return self.cold / self.invocations if self.invocations else 0.0

    @property
    def headroom(self) -> float | None:
        """The share of the memory that was never used; None where that isn't known."""
        if not self.memory_mb or not self.max_memory_mb:
            return None
        return 1 - self.max_memory_mb / self.memory_mb


class Book:
    """Counts each REPORT once. Not for several threads."""

    def __init__(self, minutes: int = MINUTES_MAX) -> None:
        self._minutes = minutes
        self._pages: dict[Who, OrderedDict[int, Page]] = {}
        self._running: dict[tuple[str, str], str] = {}
        # (group, request id, stream) → what its lines said of it before its REPORT: the version, and an error.
        self._started: OrderedDict[tuple[str, str, str], tuple[str, str]] = OrderedDict()
        self._seen: OrderedDict[tuple[int, str, str, str], None] = OrderedDict()

    def add(self, marks: Iterable[Mark]) -> int:
        """Take marks in, in order of time; those of one stream must not come before their predecessors. How many invocations ended."""
        ended = 0
        for mark in named(marks, self._running):
            key = (mark.group, mark.request_id, mark.stream)
            version, error = self._started.get(key, ("", ""))
            if mark.kind == "start":
                self._note(key, (mark.version, ""))
            elif mark.kind == "error":
                self._note(key, (version, mark.error_type or "Unknown"))
            elif mark.kind == "report" and (mark.at, *key) not in self._seen:
                self._seen[mark.at, *key] = None
                if len(self._seen) > RUNNING_MAX:
                    self._seen.popitem(last=False)
                self._started.pop(key, None)
                self._count(mark, version or version_of(mark.stream), error)
                ended += 1
        while len(self._running) > RUNNING_MAX:
            del self._running[next(iter(self._running))]
        return ended

    def who(self) -> list[Who]:
        """The versions that something is known of."""
        return sorted(self._pages)

    def health(self, who: Who, start: int, end: int, stretches: int = 30) -> Health:
        """How a version fared with `start` ≤ time < `end`, epoch ms, by whole minutes."""
        first, last = start // MINUTE_MS, -(-end // MINUTE_MS)
        found = [
            (minute, page) for minute, page in self._pages.get(who, {}).items() if first <= minute < last
        ]
        durations, inits = Sketch(), Sketch()
        kinds: Counter[str] = Counter()
        trend = [[0, 0] for _ in range(stretches)]
        for minute, page in found:
            durations.merge(page.durations)
            inits.merge(page.inits)
            kinds.update(page.kinds)
            cell = trend[min((minute - first) * stretches // max(last - first, 1), stretches - 1)]
            cell[0] += page.reports
            cell[1] += page.errors
        newest = max(found, key=lambda one: one[0])[1] if found else Page()
        p50, p95, p99 = durations.percentiles((0.5, 0.95, 0.99))
        return Health(
            sum(page.reports for _, page in found),
            sum(page.errors for _, page in found),
            sum(page.timeouts for _, page in found),
            sum(page.cold for _, page in found),
            p50,
            p95,
            p99,
            inits.percentile(0.5),
            newest.memory_mb,
            max((page.max_memory_mb for _, page in found), default=0),
            sum(page.billed for _, page in found),
            tuple(kinds.most_common(5)),
            tuple((cell[0], cell[1]) for cell in trend),
        )

    def _note(self, key: tuple[str, str, str], said: tuple[str, str]) -> None:
        self._started[key] = said
        if len(self._started) > RUNNING_MAX:
            self._started.popitem(last=False)

    def _count(self, mark: Mark, version: str, error: str) -> None:
        report = mark.report
        assert report is not None
        pages = self._pages.setdefault(Who(mark.group, version, function_of(mark.stream)), OrderedDict())
        minute = mark.at // MINUTE_MS
        page = pages.get(minute)
        if page is None:
            page = pages[minute] = Page()
            if len(pages) > self._minutes:
                del pages[min(pages)]
        page.reports += 1
        page.durations.add(report.duration_ms)
        page.billed += gb_seconds(report.billed_ms, report.memory_mb)
        page.memory_mb = report.memory_mb
        page.max_memory_mb = max(page.max_memory_mb, report.max_memory_mb)
        if report.init_ms is not None:
            page.cold += 1
            page.inits.add(report.init_ms)
        if report.status == "timeout":
            page.timeouts += 1
            error = error or report.error_type or "Sandbox.Timedout"
        elif report.status:
            error = report.error_type or error or "Unknown"
        if error:
            page.errors += 1
            # A hostile function may make up a type for each error.
            page.kinds[error if error in page.kinds or len(page.kinds) < 20 else "others"] += 1
