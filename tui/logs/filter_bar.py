"""The line that a filter is typed into, how it is read, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from lambdalog.errors import PatternError
from tui.logs.mode import Mode

if TYPE_CHECKING:
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
        self._input: Input | None = None
        self._said, self._note = Static(id="filter-mode"), Static(id="filter-note")

    @property
    def text(self) -> str:
        """What is typed."""
        return self._input.value if self._input is not None else ""

    def _made(self) -> Input:
        """The part that is typed into; made when it is first wanted: the lines should be there at once."""
        if self._input is None:
            self._input = Input(id="filter")
            self.mount(self._said, self._input, self._note)
            self.show_mode()
        return self._input

    def open(self) -> None:
        """Let the user type."""
        self.add_class("shown")
        # At once, not when the app comes to it: the next key may be there already.
        self.screen.set_focus(self._made())

    def set(self, text: str, mode: Mode) -> None:
        """Put a filter there, as if it had been typed."""
        self.mode = mode
        self.set_class(bool(text), "shown")
        if text or self._input is not None:
            with self.prevent(Input.Changed):
                self._made().value = text
            self.show_mode()
        self._apply()

    def switch_mode(self) -> None:
        """Read the same text in the next way."""
        self.mode = self.mode.next
        self.show_mode()
        self._apply()

    def show_mode(self) -> None:
        """How the text is read, at the left; a hint where nothing is typed."""
        self._said.update(self.mode.value)
        self._made().placeholder = _HINTS[self.mode]

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
        from tui.logs.matching import compiled  # what filters is loaded with the first of them

        note = self._note
        try:
            pattern = compiled(self.text, self.mode)
        except PatternError as error:
            note.update(Text(f"at {error.position + 1}: {error}", str(self.app.theme_variables["error"])))
            return
        note.update("")
        self.post_message(self.Changed(pattern, self.text.strip() and self.text, self.mode))
