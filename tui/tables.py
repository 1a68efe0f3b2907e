"""Filling a table: columns as wide as what is in them, from the first drawing on.

A DataTable that measures by itself does so when the app is idle: what is drawn before is drawn too narrow, and kept so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text
    from textual.widgets import DataTable


def fill(table: DataTable[Text], labels: Sequence[str], rows: Sequence[tuple[str, Sequence[Text]]]) -> None:
    """Show rows, (key, cells), under these labels. The row that had the cursor has it again, if it is still there."""
    before = list(table.rows)
    here = before[table.cursor_row].value if 0 <= table.cursor_row < len(before) else None
    table.clear(columns=True)
    for number, label in enumerate(labels):
        wide = max((cells[number].cell_len for _, cells in rows), default=0)
        table.add_column(label, width=max(wide, len(label)))
    for key, cells in rows:
        table.add_row(*cells, key=key)
    for index, (key, _) in enumerate(rows):
        if key == here:
            table.move_cursor(row=index, animate=False)
