"""A row per failure group: how often, since when, where it stands, what, where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text
from textual.widgets import DataTable

from lambdalog.failures import sparkline
from lambdalog.printable import printable
from tui.numbers import ago
from tui.tables import fill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.feed.failures import Group

COLUMNS: Final = ("count", "last hour", "first", "last", "status", "type", "message", "function", "queue")
STATUS_STYLES: Final = {
    "new": "bold",
    "ongoing": "",
    "regressed": "bold reverse",
    "resolved": "dim",
    "muted": "dim italic",
}


class FailuresPane(DataTable[Text]):
    """Failure groups, the most recent first."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, cursor_type="row", zebra_stripes=False)
        self.groups: list[Group] = []

    def show_groups(self, groups: Sequence[Group], now: int) -> None:
        """Show these groups; the cursor stays on the group it was on."""
        self.groups = list(groups)
        fill(self, COLUMNS, [(group.fingerprint, self._row(group, now)) for group in groups])

    def _row(self, group: Group, now: int) -> list[Text]:
        error = self.app.theme_variables["error"]
        quiet = group.status in {"muted", "resolved"}
        return [
            Text(f"{group.count:>5,}", "bold"),
            Text(sparkline(group.trend(now)), "dim" if quiet else error),
            Text(f"{ago(now - group.first_seen):>4}"),
            Text(f"{ago(now - group.last_seen):>4}"),
            Text(group.status, STATUS_STYLES[group.status]),
            Text(printable(group.type)[:60], "dim" if quiet else f"bold {error}"),
            Text(printable(group.message[:200]), overflow="ellipsis", no_wrap=True),
            Text(printable(", ".join(group.functions))),
            Text(printable(", ".join(group.queues)), "dim"),
        ]

    @property
    def selected(self) -> Group | None:
        """The group under the cursor."""
        return self.groups[self.cursor_row] if 0 <= self.cursor_row < len(self.groups) else None
