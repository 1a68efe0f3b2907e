"""The keys of a screen, from the table of actions and the user's keymap."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.table import Table
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.actions import APP, SCOPES
from tui.key_text import key_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import ComposeResult

    from tui.actions import Action


class Keys(ModalScreen[None]):
    """What can be done on a screen, and how."""

    DEFAULT_CSS = """
    Keys { align: center middle; background: $background 60%; }
    Keys > VerticalScroll {
        width: 90%; max-width: 110; height: 90%; padding: 1 2;
        background: $surface; border: round $primary; border-title-color: $primary; border-title-style: bold;
    }
    Keys Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f1", "dismiss", "Close")]

    def __init__(self, scope: str, keymap: Mapping[str, str]) -> None:
        super().__init__()
        self._scope = scope
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        """This screen's keys, then those that hold everywhere."""
        box = VerticalScroll(
            Static(self._table(SCOPES.get(self._scope, ()))),
            Static(Text("\neverywhere", "bold")),
            Static(self._table(APP)),
        )
        box.border_title = f"keys · {self._scope}"
        box.border_subtitle = "Esc closes"
        yield box

    def _table(self, actions: tuple[Action, ...]) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column()
        for action in actions:
            keys = key_text(self._keymap.get(action.name, action.keys))
            table.add_row(keys, action.title, Text(action.help, "dim"))
        return table
