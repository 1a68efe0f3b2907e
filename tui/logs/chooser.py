"""Which groups and streams are shown: names with marks, a glob to choose many at once.

Of streams there may be any number: the newest are listed, and what is typed is taken for others too.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, cast

from rich.segment import Segment
from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Input, SelectionList, Static
from textual.widgets.selection_list import Selection

from lambdalog.printable import printable
from lambdalog.tail.streams import Streams
from lambdalog.tail.wanted import stream_matcher
from tui.numbers import ago, count_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from textual.app import ComposeResult
    from textual.timer import Timer

    from tui.app import Dashboard

SHOWN_MOST: Final = 1000
# Groups that are marked one after the other are one question.
ASK_SECONDS: Final = 0.3
_GLOB: Final = frozenset("*?")


class Choice(NamedTuple):
    """Groups by name or glob (none: all), and streams: what their names begin with, or a glob over them, or whole names."""

    groups: tuple[str, ...]
    streams: str | tuple[str, ...]


class Listed(NamedTuple):
    """A stream's name, the time of its newest event in any group (epoch ms, None: not known), and in which groups it is."""

    name: str
    last: int | None
    groups: tuple[str, ...]


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


def listed(found: Streams) -> list[Listed]:
    """The streams by their names, the newest first; groups may have streams of one name."""
    rows: dict[str, Listed] = {}
    for group, name, last in found.newest:
        known = rows.get(name)
        rows[name] = (
            Listed(name, last, (group,))
            if known is None
            else Listed(name, known.last, (*known.groups, group))
        )
    return list(rows.values())


def fitting_streams(rows: Sequence[Listed], typed: str) -> list[Listed]:
    """Those that what is typed means as a filter: how names begin, or a glob; where none begins so, a part of them."""
    text = typed.strip()
    if not text:
        return list(rows)
    matches = stream_matcher(text)
    found = [row for row in rows if matches(row.name)]
    if found or _GLOB & set(text):
        return found
    return [row for row in rows if text.lower() in row.name.lower()]


def meant_streams(rows: Sequence[Listed], typed: str) -> str:
    """The filter that what is typed comes to: itself, or a glob where it is only a part of names."""
    text = typed.strip()
    found = fitting_streams(rows, text)
    return text if not found or stream_matcher(text)(found[0].name) else f"*{found_part(found, text)}*"


def found_part(rows: Sequence[Listed], text: str) -> str:
    """A part of names as the first one has it: globs mind case."""
    name = rows[0].name
    begin = name.lower().index(text.lower())
    return name[begin : begin + len(text)]


class Marks(SelectionList[str]):
    """Names with a mark before those that are chosen; without colours, too. Enter is the screen's."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "screen.take", show=False)]

    def action_select(self) -> None:
        """Mark the name, or take its mark away: now, as Textual's own waits, and another name may be highlighted by then."""
        if self.highlighted is not None:
            self.toggle(self.get_option_at_index(self.highlighted))

    def render_line(self, y: int) -> Strip:
        """Textual's own has one and the same glyph before each name, in other colours."""
        strip = super().render_line(y)
        index = self.scroll_offset.y + y
        if index >= self.option_count:
            return strip
        marked = self.get_option_at_index(index).value in self.selected
        _, inner, _, gap, *name = strip
        mark = Segment("✓" if marked else "·", inner.style)
        space = Segment(" ", gap.style)
        return Strip([space, mark, space, gap, *name])


class Chooser(ModalScreen[Choice | None]):
    """Space or a click marks, Enter takes the marks; with none, what is typed; with neither, all."""

    DEFAULT_CSS = """
    Chooser { align: center middle; }
    Chooser > Vertical {
        width: 90%; max-width: 110; height: 90%; padding: 0 2;
        background: $surface; border: round $primary; border-title-color: $primary; border-title-style: bold;
    }
    Chooser Input { border: none; height: 1; padding: 0 1; background: $panel; }
    Chooser Input:focus { border: none; }
    Chooser Marks { height: 1fr; border: none; background: $surface; padding: 0; scrollbar-size: 1 1; }
    Chooser Marks:focus { border: none; background-tint: initial; }
    Chooser #groups { height: auto; min-height: 2; max-height: 40%; }
    Chooser Marks > .selection-list--button { color: $text-muted; background: $surface; }
    Chooser Marks > .selection-list--button-highlighted { color: $text-muted; background: $surface; }
    Chooser Marks > .selection-list--button-selected { color: $success; background: $surface; text-style: bold; }
    Chooser Marks > .selection-list--button-selected-highlighted { color: $success; background: $surface; text-style: bold; }
    Chooser .label { height: 1; margin: 1 0 0 0; color: $text-muted; }
    Chooser .label.first { margin: 0; }
    Chooser .note { height: 1; margin: 1 0 0 0; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel"),
        Binding("enter", "take", "Take"),
        Binding("down", "list", show=False),
    ]

    def __init__(
        self,
        names: Sequence[str],
        chosen: Choice,
        streams: Callable[[tuple[str, ...]], Streams],
        now_ms: Callable[[], int],
    ) -> None:
        """`streams` lists those of groups, and may take its time."""
        super().__init__()
        self._names = sorted(names)
        self._chosen = {
            name
            for name in self._names
            if any(name == one or fnmatchcase(name, one) for one in chosen.groups)
        }
        self._typed = chosen.streams if isinstance(chosen.streams, str) else ""
        self._marked = set() if isinstance(chosen.streams, str) else set(chosen.streams)
        self._list_streams, self._now_ms = streams, now_ms
        self._rows: list[Listed] = []
        self._more = False
        self._asked: tuple[str, ...] | None = None
        self._waits: Timer | None = None

    def compose(self) -> ComposeResult:
        """What to type, and the names that it means: of groups, then of streams."""
        box = Vertical(
            Static("", classes="label first", id="groups-label"),
            Input(placeholder="part of a name, or a glob: /aws/lambda/*", id="glob"),
            Marks(id="groups"),
            Static("streams · reading …", classes="label", id="streams-label"),
            Input(
                self._typed,
                placeholder="how they begin, a part, or a glob: *[$LATEST]*  (all)",
                id="streams",
            ),
            Marks(id="listed"),
            Static(_note(), classes="note"),
        )
        box.border_title = "groups and streams"
        yield box

    def on_mount(self) -> None:
        """All names."""
        self._show_groups("")
        self._ask()

    # --- groups

    @on(Input.Changed, "#glob")
    def _typed_group(self, event: Input.Changed) -> None:
        self._show_groups(event.value)
        self._ask_soon()

    @on(SelectionList.SelectedChanged, "#groups")
    def _marked_group(self, event: SelectionList.SelectedChanged[str]) -> None:
        self._chosen = _marks(self._chosen, event.selection_list)
        self._label_groups()
        self._ask_soon()

    def _show_groups(self, typed: str) -> None:
        found = fitting(self._names, typed)
        rows = [(Text(printable(name)), name) for name in found[:SHOWN_MOST]]
        self._fill("#groups", rows, self._chosen)
        self._label_groups()

    def _label_groups(self) -> None:
        fits = len(fitting(self._names, self.query_one("#glob", Input).value))
        self._label("#groups-label", "groups", [_of(fits, len(self._names)), _chosen_text(self._chosen)])

    @property
    def _meant(self) -> tuple[str, ...] | None:
        """Groups by name or glob, none for all; None where what is typed means none."""
        typed = self.query_one("#glob", Input).value.strip()
        if self._chosen or not typed:
            return tuple(sorted(self._chosen))
        found = fitting(self._names, typed)
        if not found:
            return None
        return (typed,) if set(typed) & set("*?[") else tuple(found)

    # --- streams

    def _ask_soon(self) -> None:
        if self._waits is not None:
            self._waits.stop()
        self._waits = self.set_timer(ASK_SECONDS, self._ask)

    def _ask(self) -> None:
        groups = self._meant
        if groups is None or groups == self._asked:
            return
        self._asked = groups

        def take(found: Streams) -> None:
            if groups == self._asked:
                self._take_streams(found)

        def failed() -> None:
            if groups == self._asked:
                self._asked = None  # asked again at the next mark or letter
                self._take_streams(Streams([], more=False))
                self._label("#streams-label", "streams", ["not listed: what is typed is taken"])

        app = cast("Dashboard", self.app)
        app.ask(self, lambda: self._list_streams(groups), take, failed)

    def _take_streams(self, found: Streams) -> None:
        rows = listed(found)
        known = {row.name for row in rows}
        # What was chosen before, and isn't among the newest, can be seen and unmarked.
        others = [Listed(name, None, ()) for name in sorted(self._marked - known)]
        self._rows, self._more = [*others, *rows], found.more
        self._show_streams()

    @on(Input.Changed, "#streams")
    def _typed_stream(self) -> None:
        if self._rows:
            self._show_streams()

    @on(SelectionList.SelectedChanged, "#listed")
    def _marked_stream(self, event: SelectionList.SelectedChanged[str]) -> None:
        self._marked = _marks(self._marked, event.selection_list)
        self._label_streams()

    def _show_streams(self) -> None:
        found = fitting_streams(self._rows, self.query_one("#streams", Input).value)
        several = len({group for row in self._rows for group in row.groups}) > 1
        now = self._now_ms()
        rows = [(_row(row, now, several=several), row.name) for row in found[:SHOWN_MOST]]
        self._fill("#listed", rows, self._marked)
        self._label_streams()

    def _label_streams(self) -> None:
        found = fitting_streams(self._rows, self.query_one("#streams", Input).value)
        shown = _of(len(found), len(self._rows))
        told = [f"{shown}, the newest of more" if self._more else shown, _chosen_text(self._marked)]
        self._label("#streams-label", "streams", told)

    # --- both

    def _label(self, where: str, what: str, told: Iterable[str]) -> None:
        told = " · ".join(filter(None, told))
        self.query_one(where, Static).update(Text.assemble((what, "bold"), f" · {told}"))

    def _fill(self, where: str, rows: Iterable[tuple[Text, str]], marked: set[str]) -> None:
        names = self.query_one(where, Marks)
        with self.prevent(SelectionList.SelectedChanged):
            names.clear_options()
            names.add_options([Selection(text, name, name in marked) for text, name in rows])

    def action_list(self) -> None:
        """From a text to the names below it."""
        of_streams = self.focused is not None and self.focused.id == "streams"
        names = self.query_one("#listed" if of_streams else "#groups", SelectionList)
        if names.highlighted is None and names.option_count:
            names.highlighted = 0
        names.focus()

    @on(Input.Submitted)
    def action_take(self) -> None:
        """Close with what was chosen: all that was typed and marked before, though word of it may still be on its way."""
        self._chosen = _marks(self._chosen, self.query_one("#groups", Marks))
        self._marked = _marks(self._marked, self.query_one("#listed", Marks))
        groups = self._meant
        if groups is None:
            self.app.bell()
            return
        typed = self.query_one("#streams", Input).value
        streams = tuple(sorted(self._marked)) or meant_streams(self._rows, typed)
        self.dismiss(Choice(groups, streams))


def _marks(before: set[str], names: SelectionList[str]) -> set[str]:
    """What is marked now: of the names that are shown those that are, of others what was."""
    there = {option.value for option in names.options if isinstance(option, Selection)}
    return (before - there) | set(names.selected)


def _row(row: Listed, now: int, *, several: bool) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{ago(now - row.last) if row.last is not None else '':>4}  ", "dim")
    text.append(printable(row.name))
    if several and row.groups:
        groups = [name.removeprefix("/aws/lambda/") for name in row.groups]
        text.append(
            f"  {printable(groups[0]) if len(groups) == 1 else count_text(len(groups), 'group')}", "dim"
        )
    return text


def _of(shown: int, total: int) -> str:
    return f"{total:,}" if shown == total else f"{shown:,} of {total:,}"


def _chosen_text(names: set[str]) -> str:
    return f"{len(names):,} marked" if names else ""


def _note() -> str:
    """What keys do; a click on a word does that too."""
    return (
        "Space marks · [@click=screen.take]Enter takes marks, or the texts[/] · [@click=screen.dismiss]Esc[/]"
    )
