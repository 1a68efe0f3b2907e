"""Which groups and streams are shown: names with marks, a glob to choose many at once."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, SelectionList, Static
from textual.widgets.selection_list import Selection

from lambdalog.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

SHOWN_MOST = 1000


class Choice(NamedTuple):
    """Groups by name or glob (none: all), and what the streams' names begin with, or a glob over them."""

    groups: tuple[str, ...]
    streams: str


def fitting(names: Sequence[str], typed: str) -> list[str]:
    """The names that a glob, or else a part of a name, means."""
    text = typed.strip()
    if not text:
        return list(names)
    if set(text) & set("*?["):
        return [
            name for name in names if fnmatchcase(name, text) or fnmatchcase(name.rpartition("/")[2], text)
        ]
    return [name for name in names if text.lower() in name.lower()]


class Chooser(ModalScreen[Choice | None]):
    """Space marks, Enter takes the marks; with none, what is typed; with neither, all groups."""

    DEFAULT_CSS = """
    Chooser { align: center middle; }
    Chooser > Vertical {
        width: 80%; max-width: 100; height: 80%; padding: 1 2;
        background: $surface; border: round $primary; border-title-color: $primary; border-title-style: bold;
    }
    Chooser Input { border: none; height: 1; padding: 0 1; margin: 0 0 1 0; background: $panel; }
    Chooser Input:focus { border: none; }
    Chooser SelectionList { height: 1fr; border: none; background: $surface; padding: 0; }
    Chooser .note { height: 1; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel"),
        Binding("enter", "take", "Take", priority=True),
        Binding("down", "list", show=False),
    ]

    def __init__(self, names: Sequence[str], chosen: Choice) -> None:
        super().__init__()
        self._names = sorted(names)
        self._chosen = {
            name
            for name in self._names
            if any(name == one or fnmatchcase(name, one) for one in chosen.groups)
        }
        self._streams = chosen.streams

    def compose(self) -> ComposeResult:
        """What to type, the names, and the streams."""
        box = Vertical(
            Input(placeholder="part of a name, or a glob: /aws/lambda/*", id="glob"),
            SelectionList[str](),
            Input(
                self._streams,
                placeholder="streams: how they begin, or a glob: *[$LATEST]*  (all)",
                id="streams",
            ),
            Static("Space marks · Enter takes marks, or the text · Esc", classes="note"),
        )
        box.border_title = f"groups · {len(self._names):,}"
        yield box

    def on_mount(self) -> None:
        """All names."""
        self._show("")

    @on(Input.Changed, "#glob")
    def _typed(self, event: Input.Changed) -> None:
        self._show(event.value)

    @on(SelectionList.SelectedChanged)
    def _marked(self, event: SelectionList.SelectedChanged[str]) -> None:
        there = {option.value for option in event.selection_list.options if isinstance(option, Selection)}
        self._chosen = (self._chosen - there) | set(event.selection_list.selected)

    def _show(self, typed: str) -> None:
        names = self.query_one(SelectionList)
        with self.prevent(SelectionList.SelectedChanged):
            names.clear_options()
            names.add_options(
                [
                    Selection(Text(printable(name)), name, name in self._chosen)
                    for name in fitting(self._names, typed)[:SHOWN_MOST]
                ]
            )

    def action_list(self) -> None:
        """From the text to the names."""
        self.query_one(SelectionList).focus()

    def action_take(self) -> None:
        """Close with what was chosen."""
        typed = self.query_one("#glob", Input).value.strip()
        groups = tuple(sorted(self._chosen))
        if not groups and typed:
            found = fitting(self._names, typed)
            groups = (typed,) if set(typed) & set("*?[") else tuple(found)
            if not found:
                self.app.bell()
                return
        self.dismiss(Choice(groups, self.query_one("#streams", Input).value.strip()))
