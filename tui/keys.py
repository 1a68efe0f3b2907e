"""The keys of a screen, from the table of actions and the user's keymap."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, ClassVar, Final

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.actions import APP, SCOPES
from tui.key_text import key_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.app import ComposeResult

    from tui.actions import Action

WIDTH_MAX: Final = 110
# Border, padding and scrollbar of the page.
_AROUND: Final = 8
_GAP: Final = 2
_HELP_MIN: Final = 24


class Keys(ModalScreen[None]):
    """What can be done on a screen, and how."""

    DEFAULT_CSS = """
    Keys { align: center middle; }
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
        box = VerticalScroll(Static(id="keys"))
        box.border_title = f"keys · {self._scope}"
        box.border_subtitle = "Esc closes"
        yield box

    def on_resize(self) -> None:
        """Lines are broken to the page's width."""
        width = min(self.app.size.width * 9 // 10, WIDTH_MAX) - _AROUND
        self.query_one("#keys", Static).update(table(SCOPES.get(self._scope, ()), self._keymap, width))


def table(actions: Iterable[Action], keymap: Mapping[str, str], width: int) -> Text:
    """Keys, titles and help of actions and of those that hold everywhere, in lines of `width` columns.

    Laid out here: a table of Rich's takes a fifth of a second to draw.
    """
    parts: tuple[tuple[Action, ...], ...] = (tuple(actions), APP)
    rows = [
        [(key_text(keymap.get(one.name, one.keys)), one.title, one.help) for one in part] for part in parts
    ]
    keys, titles = (max(len(row[index]) for part in rows for row in part) + _GAP for index in (0, 1))
    room = max(width - keys - titles, _HELP_MIN)
    text = Text(no_wrap=True)
    for number, part in enumerate(rows):
        if number:
            text.append("\neverywhere\n", "bold")
        for shown, title, help_text in part:
            first, *more = textwrap.wrap(help_text, room) or [""]
            text.append(f"{shown:<{keys}}", "bold")
            text.append(f"{title:<{titles}}")
            text.append(f"{first}\n", "dim")
            for line in more:
                text.append(f"{'':<{keys + titles}}{line}\n", "dim")
    return text
