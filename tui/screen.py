"""What every screen of the dashboard has: a head with the screens and the state, the keys at its foot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.text import Text
from textual import on
from textual.screen import Screen

from lambdalog.printable import printable
from tui.actions import ALL, APP, SCOPES
from tui.bars import Part, Row
from tui.key_text import key_text
from tui.still import Still
from tui.themed import Themed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.app import ComposeResult
    from textual.widget import Widget

    from tui.actions import Action
    from tui.app import Dashboard
    from tui.feed import Feed

TABS = (
    ("logs", "Logs"),
    ("invocations", "Invocations"),
    ("failures", "Failures"),
    ("functions", "Functions"),
    ("queues", "Queues"),
)
_WIDE = 110


class ModeScreen(Still, Themed, Screen[None]):
    """A screen that a number key opens. A subclass names its `SCOPE` of actions and makes its `body`."""

    SCOPE: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self._trouble = ""
        self._state = Text()
        self._head: Row | None = None
        self._foot: Row | None = None

    @property
    def dashboard(self) -> Dashboard:
        """The app."""
        return cast("Dashboard", self.app)

    @property
    def feed(self) -> Feed:
        """Where data comes from."""
        return self.dashboard.feed

    @property
    def drawn(self) -> bool:
        """Whether the screen's parts are there; what arrives while the app is leaving finds none."""
        return self.is_mounted and self._head is not None and self._head.is_attached

    @property
    def settled(self) -> bool:
        """Whether it shows what there is: what a screenshot waits for."""
        return self.drawn

    def compose(self) -> ComposeResult:
        """Head, body, keys."""
        self._head, self._foot = Row(id="head"), Row(id="foot")
        yield self._head
        yield from self.body()
        yield self._foot

    def body(self) -> Iterable[Widget]:
        """What is between head and keys."""
        raise NotImplementedError

    def on_resize(self) -> None:
        """The head has three widths."""
        self.show_head()

    def on_screen_resume(self) -> None:
        """The head tells which screen this is."""
        self.show_head()

    def kept(self) -> dict[str, str]:
        """What the next start takes up of this screen."""
        return {}

    def take_up(self, kept: Mapping[str, str]) -> None:
        """Be as the last start left it; what no longer means anything is passed over."""

    def on_screen_suspend(self) -> None:
        """Another screen is shown: this one's state is kept."""
        self.dashboard.session.screens[self.SCOPE] = self.kept()

    def show_state(self, state: Text) -> None:
        """What the right end of the head says."""
        self._state = state
        if self.drawn:
            self.show_head()

    def show_trouble(self, what: str) -> None:
        """That the source can't be read, until it can again."""
        if what != self._trouble:
            self._trouble = what
            if self.drawn:
                self.show_head()

    def show_head(self) -> None:
        """Draw the head."""
        if self._head is None or self._foot is None:
            return
        width = self.app.size.width
        state = Text(no_wrap=True)
        if self._trouble:
            state.append(f"✗ {printable(self._trouble)[: max(width - 40, 20)]} ", self.ink("error"))
        else:
            if width >= _WIDE:
                state.append(f"{printable(self.feed.label)}   ", "dim")
            state.append_text(self._state)
        self._head.show(_tabs(self.SCOPE, width - state.cell_len - 1), state)
        self._foot.show(_keys(self.SCOPE, self.dashboard.settings.keymap, width))

    @property
    def said(self) -> str:
        """What the right end of the head says."""
        return self._head.said if self._head is not None else ""

    @on(Row.Clicked)
    async def _clicked(self, message: Row.Clicked) -> None:
        await self.act(message.call)

    def act(self, call: str) -> Any:
        """Run an action of this screen, as its key would."""
        return self.app.run_action(call, default_namespace=self)


def _tabs(scope: str, width: int) -> list[Part]:
    """The screens in the longest form that fits: by name, by four letters, by number; the shown one always by name."""
    parts: list[Part] = []
    for letters in (None, 4, 0):
        parts = [Part("", ((" λ ", "sign"),))]
        for name, title in TABS:
            number = key_text(ALL[f"app.{name}"].keys)
            shown = title if name == scope else title[:letters]
            text = f" {number} {shown} " if shown else f" {number} "
            parts.append(Part(f"app.mode('{name}')", ((text, "here" if name == scope else "tab"),)))
        if sum(part.width for part in parts) <= width:
            break
    return parts


def _keys(scope: str, keymap: Mapping[str, str], width: int) -> list[Part]:
    """What the foot has room for, as the table of actions says; a key of the user's own stands in for the table's."""
    last = [_key(action, keymap, "app.") for action in APP if action.footer]
    room = width - sum(part.width for part in last)
    parts = []
    for part in (_key(action, keymap) for action in SCOPES[scope] if action.footer):
        room -= part.width
        if room >= 0:
            parts.append(part)
    return parts + last


def _key(action: Action, keymap: Mapping[str, str], space: str = "") -> Part:
    own = keymap.get(action.name)
    keys = key_text(own) if own is not None else action.display or key_text(action.keys.split(",")[0])
    return Part(space + action.call, ((f" {keys} ", "key"), (f"{action.title} ", "title")))
