"""Which rows of which lines stand in a view of so many rows. Pure: a line's rows are made by whoever draws them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tui.logs.buffer import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lambdalog.tail import Line
    from tui.logs.buffer import Ordered
    from tui.logs.rows import Drawn

    RowsOf = Callable[[Line], Sequence[Drawn]]


class Place(NamedTuple):
    """A row of a line: the line's number among the shown ones, and the row within it."""

    line: int
    sub: int = 0


def page_down(shown: Sequence[Line], rows_of: RowsOf, top: Place, height: int) -> list[tuple[Place, Drawn]]:
    """As many rows as there is room for, from `top` on; fewer where the lines end."""
    drawn: list[tuple[Place, Drawn]] = []
    index, sub = top
    while len(drawn) < height and index < len(shown):
        rows = rows_of(shown[index])
        drawn += [(Place(index, number), rows[number]) for number in range(sub, len(rows))]
        index, sub = index + 1, 0
    return drawn[:height]


def last_page(shown: Sequence[Line], rows_of: RowsOf, height: int) -> list[tuple[Place, Drawn]]:
    """The last rows, as many as there is room for; made from the last one up, as far as they are wanted."""
    drawn: list[tuple[Place, Drawn]] = []
    index = len(shown) - 1
    while len(drawn) < height and index >= 0:
        rows = rows_of(shown[index])
        if len(rows) == 1:
            drawn.append((Place(index), rows[0]))
        else:
            drawn += [(Place(index, number), rows[number]) for number in reversed(range(len(rows)))]
        index -= 1
    return drawn[:height][::-1]


def walk(shown: Sequence[Line], rows_of: RowsOf, place: Place, rows: int) -> Place:
    """The place so many rows further down, or up; it ends at the first and the last line."""
    if not shown:
        return Place(0)
    index, sub = place
    index = min(index, len(shown) - 1)
    sub += rows
    while sub < 0 and index > 0:
        index -= 1
        sub += len(rows_of(shown[index]))
    while (height := len(rows_of(shown[index]))) <= sub and index < len(shown) - 1:
        sub -= height
        index += 1
    return Place(index, max(0, min(sub, height - 1)))


def track(shown: Sequence[Line], errors: Ordered, top: int, height: int) -> list[str]:
    """The scrollbar, a role a row: where a view with line `top` at its top stands, and where errors are."""
    count = len(shown)
    length = max(1, height * height // count)
    start = round(top / max(count - height, 1) * (height - length))
    roles = ["track"] * height
    if errors.lines:
        # A row has the errors from its first line up to the next row's.
        firsts = [errors.find(key_of(shown[y * count // height])) for y in range(height)]
        roles = ["track-error" if high > low else "track" for low, high in pairwise([*firsts, len(errors)])]
    roles[start : start + length] = ["thumb"] * length
    return roles
