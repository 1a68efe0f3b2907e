"""The question before what can't be undone: exactly how many, of what, from where."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from lambdalog.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from tui.feed.failures import Planned

HINT: Final = "any words, then Enter · Esc leaves everything as it is"


def plan_text(plans: Sequence[Planned], verb: str) -> Text:
    """What would be done, queue by queue, and what is left alone."""
    text = Text()
    for planned in plans:
        text.append(f"{verb} {planned.count:,}", "bold")
        text.append(f" of {planned.total:,} messages of {printable(planned.queue)}")
        text.append(f"  →  {printable(planned.destination)}\n" if verb == "replay" else "\n")
        text.append(f"  where {printable(planned.where)}\n", "dim")
        for one in planned.kinds:
            text.append(f"  {one.count:>6,}  ", "bold")
            text.append(f"{printable(one.type[:60])}: {printable(one.message[:80])}\n")
        for reason, number in planned.left.items():
            text.append(f"  {number:>6,}  left alone: {printable(reason)}\n", "dim")
        if planned.edited:
            text.append(f"  {planned.edited:>6,}  with an edited event\n", "dim")
        for note in planned.notes:
            text.append(f"  {printable(note)}\n", "dim italic")
    return text


class Confirm(ModalScreen[str | None]):
    """Asks for the word that is to be typed, or for a reason; dismissed with what was typed, or None.

    It may open before it is known what would be done, so that what is typed ahead comes here; it is answered only then.
    """

    DEFAULT_CSS = """
    Confirm { align: center middle; }
    Confirm > Vertical {
        width: 90%; max-width: 110; height: auto; padding: 1 2;
        background: $surface; border: round $error; border-title-color: $error; border-title-style: bold;
    }
    Confirm VerticalScroll { height: auto; max-height: 60vh; scrollbar-size: 1 1; }
    Confirm Static { height: auto; }
    Confirm Input { border: none; height: 1; padding: 0 1; background: $panel; }
    Confirm .note { margin: 1 0 0 0; color: $text-muted; }
    Confirm Input:focus { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(
        self,
        title: str,
        what: Text | None = None,
        *,
        word: str = "",
        work_out: Callable[[], None] | None = None,
    ) -> None:
        """`word` is what has to be typed; without one, a reason of any words.

        `work_out` begins to find out `what`, and calls `tell` or `withdraw` in the end.
        """
        super().__init__()
        self._work_out = work_out
        self._title, self._word = title, word
        self._what = what if what is not None else Text("working it out …", "dim")
        self.told = what is not None

    def on_mount(self) -> None:
        """Begin."""
        if self._work_out is not None:
            self.call_after_refresh(self._work_out)

    def withdraw(self) -> None:
        """There is nothing to be asked."""
        if self.is_current:
            self.dismiss(None)

    def tell(self, title: str, what: Text) -> None:
        """What would be done, which is what is said yes to from now on."""
        self.told = True
        self.query_one(Vertical).border_title = Text(title)
        self.query_one("#what", Static).update(what)

    def compose(self) -> ComposeResult:
        """What would be done, and a line to type into."""
        what = VerticalScroll(Static(self._what, id="what"), can_focus=False)
        asked = f"type {self._word}" if self._word else "why?"
        hint = f"{asked}, then Enter · Esc leaves everything as it is" if self._word else HINT
        box = Vertical(what, Input(placeholder=asked), Static(Text(hint), classes="note"))
        box.border_title = Text(self._title)
        yield box

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        typed = event.value.strip()
        if not self.told:
            self.app.bell()
            return
        if typed and (not self._word or typed == self._word):
            self.dismiss(typed)
            return
        self.app.bell()
        wrong = (
            f"nothing is done until {self._word} is typed"
            if self._word
            else "a reason is kept with it: say why"
        )
        note = self.query_one(".note", Static)
        note.update(Text(f"{wrong} · Esc leaves everything as it is", str(self.app.theme_variables["error"])))
