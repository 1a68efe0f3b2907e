"""The question before what can't be undone: exactly how many, of what, from where."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from lambdalog.printable import printable

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.feed.failures import Plan


def plan_text(plans: list[Plan], verb: str) -> Text:
    """What would be done, queue by queue, and what is left alone."""
    text = Text()
    for planned in plans:
        count = len(planned.letters)
        text.append(f"{verb} {count:,}", "bold")
        text.append(f" of {planned.total:,} messages of {printable(planned.queue)}")
        text.append(f"  →  {printable(planned.destination.described)}\n" if verb == "replay" else "\n")
        for one in planned.by_fingerprint():
            text.append(f"  {one.count:>6,}  ", "bold")
            text.append(f"{printable(one.type)}: {printable(one.message)[:80]}\n")
        reasons: dict[str, int] = {}
        for left in planned.left:
            reasons[left.reason] = reasons.get(left.reason, 0) + 1
        for reason, number in reasons.items():
            text.append(f"  {number:>6,}  left alone: {printable(reason)}\n", "dim")
        if planned.edits:
            text.append(f"  {len(planned.edits):>6,}  with an edited event\n", "dim")
        for note in planned.notes:
            text.append(f"  {printable(note)}\n", "dim italic")
    return text


class Confirm(ModalScreen[str | None]):
    """Asks for the word that is to be typed, or for a reason; dismissed with what was typed, or None."""

    DEFAULT_CSS = """
    Confirm { align: center middle; background: $background 60%; }
    Confirm > Vertical {
        width: 80%; max-width: 110; height: auto; max-height: 90%; padding: 1 2;
        background: $surface; border: round $error; border-title-color: $error; border-title-style: bold;
    }
    Confirm Static { height: auto; }
    Confirm Input { border: none; height: 1; padding: 0 1; margin: 1 0 0 0; background: $panel; }
    Confirm Input:focus { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(self, title: str, what: Text, *, word: str = "") -> None:
        """`word` is what has to be typed; without one, a reason of any words."""
        super().__init__()
        self._title, self._what, self._word = title, what, word

    def compose(self) -> ComposeResult:
        """What would be done, and a line to type into."""
        asked = (
            f"type {self._word} and Enter · Esc leaves everything as it is"
            if self._word
            else "why? · Esc leaves everything as it is"
        )
        box = Vertical(Static(self._what), Input(placeholder=asked))
        box.border_title = Text(self._title)
        yield box

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        typed = event.value.strip()
        if typed and (not self._word or typed == self._word):
            self.dismiss(typed)
        else:
            self.app.bell()
