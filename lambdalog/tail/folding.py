"""Lambda's own lines, folded into one an invocation.

Pure: nothing here reads, writes or knows where lines come from.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from lambdalog.platform_line import read

if TYPE_CHECKING:
    from lambdalog.platform_line import PlatformLine
    from lambdalog.tail.render import Shown

# An invocation without a report stays unfinished; so many streams are waited for at once.
WAITING_MAX: Final = 10_000


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
        said = found if known is None else _joined(known, found)
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


def _joined(known: PlatformLine, more: PlatformLine) -> PlatformLine:
    """What both say; the later line where they differ."""
    return known._replace(**{name: value for name, value in more._asdict().items() if value is not None})
