"""A question with a line to type into; what can't be used is said as it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from lambdalog.errors import LambdalogError

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult


class Prompt(ModalScreen[str | None]):
    """Asks for a text; dismissed with it, or with None on Escape.

    `check` raises LambdalogError for what can't be used, or returns a text that explains what it would do.
    """

    DEFAULT_CSS = """
    Prompt { align: center middle; }
    Prompt > Vertical {
        width: 90%; max-width: 100; height: auto; padding: 1 2;
        background: $surface; border: round $primary; border-title-color: $primary; border-title-style: bold;
    }
    Prompt Input { border: none; height: 1; padding: 0; background: $panel; }
    Prompt Input:focus { border: none; }
    Prompt .note { margin: 1 0 0 0; height: auto; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(
        self, title: str, *, value: str = "", hint: str = "", check: Callable[[str], str] | None = None
    ) -> None:
        super().__init__()
        self._title, self._value, self._hint = title, value, hint
        self._check = check
        self._wrong = False

    def compose(self) -> ComposeResult:
        """A line to type into, and a note below it."""
        box = Vertical(Input(value=self._value), Static(self._hint, classes="note", markup=False))
        box.border_title = Text(self._title)
        yield box

    @on(Input.Changed)
    def _look(self, event: Input.Changed) -> None:
        note = self.query_one(".note", Static)
        self._wrong = False
        if self._check is None or not event.value:
            note.update(self._hint)
            return
        try:
            note.update(Text(self._check(event.value) or self._hint))
        except LambdalogError as error:
            self._wrong = True
            note.update(Text(str(error), str(self.app.theme_variables["error"])))

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        if self._wrong:
            self.app.bell()
        else:
            self.dismiss(event.value)
