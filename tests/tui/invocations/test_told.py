"""All about an invocation, as text for a pane."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from rich.style import Style

from lambdalog.invocations import Roll, mark_of
from tests.tui.made import ran
from tui.invocations.told import told

if TYPE_CHECKING:
    from collections.abc import Mapping

STYLES: Mapping[str, Style] = defaultdict(Style)


def test_a_fact_is_not_broken_where_it_fits_on_a_line_of_its_own() -> None:
    """The stream's name stands beside what was billed where there is room, else below it."""
    roll = Roll()
    (invocation,) = roll.add([mark for line in ran() if (mark := mark_of(line))])
    stream = "stream 2026/01/02/[3]0123456789abcdef0123456789abcdef"
    for width, alone in ((74, True), (160, False)):
        lines = [
            line.rstrip()
            for line in told(invocation, None, invocation.began, width, STYLES).plain.split("\n")
        ]
        assert (stream in lines) is alone
        assert any(line.startswith("billed") and (line.endswith(stream) is not alone) for line in lines)
