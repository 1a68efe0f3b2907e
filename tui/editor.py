"""A text that is edited in place, or in $EDITOR; what can't be used is said as it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import click
from rich.text import Text
from textual import on
from textual.app import SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from lambdalog.errors import LambdalogError
from lambdalog.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

HINT = "ctrl+s takes it · ctrl+e opens $EDITOR · Esc leaves everything as it is"


class Editor(ModalScreen[str | None]):
    """Dismissed with the text as it was left, or with None on Escape.

    `check` raises LambdalogError or ValueError for what can't be used.
    """

    DEFAULT_CSS = """
    Editor { align: center middle; }
    Editor > Vertical {
        width: 90%; height: 80%; padding: 1 2;
        background: $surface; border: round $primary; border-title-color: $primary; border-title-style: bold;
    }
    Editor TextArea { border: none; padding: 0; height: 1fr; background: $panel; }
    Editor TextArea:focus { border: none; }
    Editor .note { margin: 1 0 0 0; height: auto; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel", priority=True),
        Binding("ctrl+s", "take", "Take", priority=True),
        Binding("ctrl+e", "elsewhere", "$EDITOR", priority=True),
    ]

    def __init__(self, title: str, text: str, check: Callable[[str], object]) -> None:
        super().__init__()
        self._title, self._text, self._check = title, text, check
        self._wrong = False

    def compose(self) -> ComposeResult:
        """The text, and a note below it."""
        with Vertical() as box:
            box.border_title = Text(self._title)
            yield TextArea(self._text, show_line_numbers=True, soft_wrap=False, tab_behavior="indent")
            yield Static(HINT, classes="note", markup=False)

    @property
    def area(self) -> TextArea:
        """What is typed into."""
        return self.query_one(TextArea)

    @on(TextArea.Changed)
    def _look(self) -> None:
        self._wrong = False
        note = self.query_one(".note", Static)
        try:
            self._check(self.area.text)
        except (LambdalogError, ValueError) as error:
            self._wrong = True
            note.update(Text(printable(str(error)), str(self.app.theme_variables["error"])))
        else:
            note.update(HINT)

    def action_take(self) -> None:
        """Take the text, if it can be used."""
        self._look()
        if self._wrong:
            self.app.bell()
        else:
            self.dismiss(self.area.text)

    def action_elsewhere(self) -> None:
        """Edit in $EDITOR; what it leaves is here afterwards."""
        try:
            with self.app.suspend():
                text = click.edit(self.area.text, extension=".json")
        except SuspendNotSupported:
            self.notify("Another editor needs a terminal of its own.", severity="warning")
            return
        except click.ClickException as error:
            self.notify(error.message, severity="error")
            return
        if text is not None:
            self.area.text = text.removesuffix("\n")
