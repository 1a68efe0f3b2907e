"""A page over the screen: text that scrolls, and below it, if there is one, a JSON value that folds."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.json_tree import JsonTree

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Page(ModalScreen[None]):
    """Shows `text`, and `value` (JSON text) as a tree, until it is closed."""

    DEFAULT_CSS = """
    Page { align: center middle; }
    Page > Vertical {
        width: 90%; height: 80%; padding: 1 2; background: $surface; border: round $primary; border-title-color: $primary;
    }
    Page VerticalScroll { height: 1fr; background: $surface; }
    Page.with-value VerticalScroll { height: auto; max-height: 50%; margin: 0 0 1 0; }
    Page JsonTree { height: 1fr; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "Close")]

    def __init__(self, title: str, text: Text, value: str | None = None) -> None:
        super().__init__()
        self._title, self._text, self._value = title, text, value
        self.set_class(value is not None, "with-value")

    def compose(self) -> ComposeResult:
        """One box."""
        with Vertical() as box:
            box.border_title = Text(self._title)  # no markup
            if self._text:
                yield VerticalScroll(Static(self._text))
            if self._value is not None:
                yield JsonTree(self._value)

    def on_mount(self) -> None:
        """The tree, if there is one, is what keys go to."""
        for tree in self.query(JsonTree):
            tree.focus()
