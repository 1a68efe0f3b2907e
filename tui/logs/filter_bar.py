"""The line that a filter is typed into, how it is read, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from lambdalog.errors import PatternError
from tui.logs.matching import Mode, compiled

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from lambdalog.query.pattern import Pattern

_HINTS = {
    Mode.TEXT: "any text, as it stands in the line",
    Mode.REGEX: "a regular expression: (?i)timed? ?out|refused",
    Mode.PATTERN: 'a CloudWatch pattern: ERROR -retry  "exact phrase"  %4[0-9]{2}%  { $.level = ERROR }',
}


class FilterBar(Horizontal):
    """Says what is typed into it as a `Pattern`, at each key."""

    DEFAULT_CSS = """
    FilterBar { height: 1; background: $surface; display: none; }
    FilterBar.shown { display: block; }
    FilterBar #filter-mode { width: auto; padding: 0 1; color: $background; background: $accent; text-style: bold; }
    FilterBar Input { border: none; height: 1; padding: 0 1; background: $surface; width: 1fr; }
    FilterBar Input:focus { border: none; }
    FilterBar #filter-note { width: auto; max-width: 60%; padding: 0 1; }
    """

    class Changed(Message):
        """Another filter; `pattern` None shows every line."""

        def __init__(self, pattern: Pattern | None, text: str, mode: Mode) -> None:
            super().__init__()
            self.pattern, self.text, self.mode = pattern, text, mode

    class Done(Message):
        """The user has typed it to the end."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.mode = Mode.TEXT

    def compose(self) -> ComposeResult:
        """How it is read, the text, what is wrong."""
        yield Static(id="filter-mode")
        yield Input(id="filter")
        yield Static(id="filter-note")

    def on_mount(self) -> None:
        """Say how it is read."""
        self.show_mode()

    @property
    def text(self) -> str:
        """What is typed."""
        return self.query_one(Input).value

    def open(self) -> None:
        """Let the user type."""
        self.add_class("shown")
        self.query_one(Input).focus()

    def set(self, text: str, mode: Mode) -> None:
        """Put a filter there, as if it had been typed."""
        self.mode = mode
        self.show_mode()
        self.set_class(bool(text), "shown")
        with self.prevent(Input.Changed):
            self.query_one(Input).value = text
        self._apply()

    def switch_mode(self) -> None:
        """Read the same text in the next way."""
        self.mode = self.mode.next
        self.show_mode()
        self._apply()

    def show_mode(self) -> None:
        """How the text is read, at the left; a hint where nothing is typed."""
        self.query_one("#filter-mode", Static).update(self.mode.value)
        self.query_one(Input).placeholder = _HINTS[self.mode]

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._apply()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.set_class(bool(self.text.strip()), "shown")
        self.post_message(self.Done())

    def _apply(self) -> None:
        note = self.query_one("#filter-note", Static)
        try:
            pattern = compiled(self.text, self.mode)
        except PatternError as error:
            note.update(Text(f"at {error.position + 1}: {error}", str(self.app.theme_variables["error"])))
            return
        note.update("")
        self.post_message(self.Changed(pattern, self.text.strip() and self.text, self.mode))
