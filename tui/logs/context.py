"""A line among its neighbours: what the same stream wrote before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from lambdalog.printable import printable
from tui.logs.buffer import key_of
from tui.logs.view import LogView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from lambdalog.tail import Line


class Context(ModalScreen[int | None]):
    """Lines of one stream; dismissed with how many more lines are wanted, or None."""

    DEFAULT_CSS = """
    Context { align: center middle; }
    Context > Vertical {
        width: 96%; height: 86%; padding: 0 1;
        background: $background; border: round $primary; border-title-color: $primary; border-title-style: bold;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,c", "dismiss", "Close"),
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("enter", "fold", show=False),
        Binding("plus,equals_sign", "more(2)", show=False),
        Binding("minus", "more(0.5)", show=False),
    ]

    def __init__(self, line: Line, lines: Sequence[Line], around: int, *, utc: bool) -> None:
        super().__init__()
        self._line, self._lines, self._around, self._utc = line, lines, around, utc

    def compose(self) -> ComposeResult:
        """A log of its own."""
        view = LogView()
        view.utc = self._utc
        view.add_lines(self._lines)
        box = Vertical(view)
        box.border_title = Text(
            f"{printable(self._line.group)} · {printable(self._line.stream)} · ±{self._around}"
        )
        box.border_subtitle = "+ more  - less  ⏎ unfold  Esc closes"
        yield box

    def on_mount(self) -> None:
        """On the line."""
        view = self.query_one(LogView)
        self.call_after_refresh(lambda: view.go_to(view.buffer.index_near(key_of(self._line))))

    def action_move(self, step: int) -> None:
        """Move by lines."""
        self.query_one(LogView).move(step)

    def action_page(self, step: int) -> None:
        """Move by pages."""
        self.query_one(LogView).page(step)

    def action_fold(self) -> None:
        """Lay a line out."""
        self.query_one(LogView).toggle_fold()

    def action_more(self, factor: float) -> None:
        """More or fewer lines."""
        self.dismiss(max(1, min(500, round(self._around * factor))))
