"""All about a failure, as text for a pane."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from rich.style import Style

from lambdalog.failure import Failure, Frame
from lambdalog.failures import Detail
from tests.tui.made import failures, groups
from tui.failures.detail import failure_text

if TYPE_CHECKING:
    from collections.abc import Mapping

STYLES: Mapping[str, Style] = defaultdict(Style)


def told(frame: Frame, width: int) -> list[str]:
    """The lines of a failure with one frame."""
    (group,) = groups(failures(1))
    failure = Failure("Odd", "it is", "f" * 16, frames=(frame,))
    text = failure_text(Detail(group.newest, failure, "1", ()), STYLES, width, event=False)
    return text.plain.split("\n")


@pytest.mark.parametrize("width", [40, 60, 200])
@pytest.mark.parametrize("value", ["word " * 30, "x" * 150, "漢" * 90, "a\x1b[2J" * 20])
def test_what_is_too_long_for_a_line_is_hung(value: str, width: int) -> None:
    """Code and variables go on further in, in lines that fit, and nothing of them is lost."""
    frame = Frame("app.py", 7, "handler", code=f"raise Odd({value})", local={"name": value})
    lines = told(frame, width)
    begin = next(index for index, line in enumerate(lines) if line.startswith("      raise"))
    hung = lines[begin : lines.index("", begin)]
    assert all(cell_len(line) <= width for line in hung)
    assert all(line.startswith("      ") for line in hung)
    shown = "".join(line.strip() for line in hung).replace(" ", "")
    plain = value.replace("\x1b", "␛").replace(" ", "")
    assert shown == f"raiseOdd({plain})name={plain}"
