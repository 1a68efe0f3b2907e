"""Lambda's own lines, folded into one an invocation.

Pure: nothing here reads, writes or knows where lines come from.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lambdalog.platform_line import read

if TYPE_CHECKING:
    from lambdalog.platform_line import PlatformLine
    from lambdalog.tail.render import Shown

# An invocation without a report stays unfinished; so many streams are waited for at once.
WAITING_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Invocation:
    """What its platform lines say of an invocation. Durations are ms, memory is MB; None is what no line said.

    `status` is Lambda's word (`success`, `error`, `timeout`, …); text REPORTs have it only where something went wrong.
    `init_ms` is there for a cold start, `restore_ms` for one from a snapshot.
    """

    request_id: str
    version: str | None = None
    status: str | None = None
    error_type: str | None = None
    duration_ms: float | None = None
    billed_ms: float | None = None
    memory_mb: int | None = None
    max_memory_mb: int | None = None
    init_ms: float | None = None
    restore_ms: float | None = None
    trace_id: str | None = None

    @property
    def failed(self) -> bool:
        """Whether Lambda says that it went wrong."""
        return self.status is not None and self.status != "success"

    def __str__(self) -> str:
        """One line: `invocation ID: 12.30 ms, billed 13 ms, 61 of 128 MB, cold start 230.10 ms`."""
        parts = []
        if self.duration_ms is not None:
            parts.append(f"{self.duration_ms:.2f} ms")
        if self.billed_ms is not None:
            parts.append(f"billed {self.billed_ms:.0f} ms")
        if self.max_memory_mb is not None:
            parts.append(f"{self.max_memory_mb} of {self.memory_mb} MB")
        if self.init_ms is not None:
            parts.append(f"cold start {self.init_ms:.2f} ms")
        if self.restore_ms is not None:
            parts.append(f"restored in {self.restore_ms:.2f} ms")
        if self.version not in {None, "$LATEST"}:
            parts.append(f"version {self.version}")
        if self.failed:
            parts.append(f"{self.status} ({self.error_type})" if self.error_type else str(self.status))
        if self.duration_ms is None:
            parts.append("no report yet")
        return f"invocation {self.request_id}: {', '.join(parts)}"


def told(line: PlatformLine) -> Invocation:
    """What one platform line says of its invocation."""
    return Invocation(*line[1:])


class Folding:
    """Takes lines in order, gives them back with the platform lines of each invocation as one: at its report."""

    def __init__(self) -> None:
        # Of each stream, the invocation that has begun: an environment works on one at a time.
        self._begun: OrderedDict[tuple[str, str], Shown] = OrderedDict()

    def take(self, shown: Shown) -> list[Shown]:
        """What is to be shown now that `shown` has come."""
        line = shown.line
        found = read(line.message)
        if found is None or found.kind == "init":
            return [shown]
        key = (line.group, line.stream)
        begun = self._begun.pop(key, None)
        out = []
        known = begun.invocation if begun is not None else None
        if begun is not None and known is not None and known.request_id != found.request_id:
            out.append(begun)  # its report never came
            begun = known = None
        said = told(found) if known is None else _joined(known, told(found))
        if found.kind == "report":
            gap = shown.gap or (begun is not None and begun.gap)
            out.append(shown._replace(invocation=said, gap=gap))
        else:
            self._begun[key] = (begun or shown)._replace(invocation=said)
            if len(self._begun) > WAITING_MAX:
                out.append(self._begun.popitem(last=False)[1])
        return out

    def rest(self) -> list[Shown]:
        """The invocations whose report has not come, oldest first."""
        rest = sorted(self._begun.values(), key=lambda shown: shown.line.order)
        self._begun.clear()
        return rest


def _joined(known: Invocation, more: Invocation) -> Invocation:
    """What both say; the later line where they differ."""
    said = {name: value for name in Invocation.__slots__ if (value := getattr(more, name)) is not None}
    return replace(known, **said)
