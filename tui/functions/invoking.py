"""The way to an invocation by hand: which event, what is in it, and the question before it is sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar, Final

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static

from lambdalog.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from tui.feed.functions import Sample

WORD: Final = "invoke"
NAME_MAX: Final = 200


class Samples(ModalScreen[str | None]):
    """Which event to begin with; dismissed with its text, or None."""

    DEFAULT_CSS = """
    Samples { align: center middle; }
    Samples > Vertical {
        width: 70%; max-width: 90; height: auto; max-height: 80%; padding: 1 2;
        background: $surface; border: round $primary; border-title-color: $primary; border-title-style: bold;
    }
    Samples OptionList { height: auto; max-height: 100%; border: none; background: $surface; padding: 0; }
    Samples .note { margin: 1 0 0 0; height: 1; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(self, title: str, samples: Sequence[Sample]) -> None:
        super().__init__()
        self._title, self._samples = title, samples

    def compose(self) -> ComposeResult:
        """The samples by their names."""
        with Vertical() as box:
            box.border_title = Text(self._title)
            yield OptionList(*(Text(printable(sample.name[:NAME_MAX])) for sample in self._samples))
            yield Static("Enter edits it before it is sent · Esc", classes="note")

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._samples[event.option_index].text)


def checked_event(text: str) -> str:
    """An event as it can be sent. ValueError, with the place, for what is no JSON."""
    try:
        json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply to be read") from None
    return text


def question(name: str, qualifier: str, event: str, *, asynchronous: bool) -> Text:
    """What would be done."""
    text = Text()
    text.append(f"{'queue an event for' if asynchronous else 'run'} ", "bold")
    text.append(f"{printable(name[:NAME_MAX])}:{printable(qualifier[:NAME_MAX])}")
    text.append(f" with {len(event.encode('utf-8', 'replace')):,} bytes\n\n")
    for part in event.split("\n")[:8]:
        text.append(f"  {printable(part[:100])}\n", "dim")
    text.append("\nIts code runs for real, with whatever it changes.\n", "italic")
    return text
