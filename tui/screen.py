"""What every screen of the dashboard has: a head with the screens and the state, the keys at its foot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.text import Text
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Footer, Static

from lambdalog.printable import printable
from tui.actions import ALL
from tui.keys import key_text
from tui.logs.palette import palette
from tui.themes import NO_COLOUR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.style import Style
    from textual.app import ComposeResult
    from textual.widget import Widget

    from tui.app import Dashboard
    from tui.feed import Feed

TABS = (
    ("logs", "Logs"),
    ("invocations", "Invocations"),
    ("failures", "Failures"),
    ("functions", "Functions"),
    ("queues", "Queues"),
)
_WIDE, _MIDDLE = 110, 78


class ModeScreen(Screen[None]):
    """A screen that a number key opens. A subclass names its `SCOPE` of actions and makes its `body`."""

    SCOPE: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self._trouble = ""
        self._state = Text()
        self._tabs: Static | None = None
        self._styles: dict[str, Style] = {}

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
        return self.is_mounted and self._tabs is not None and self._tabs.is_attached

    @property
    def settled(self) -> bool:
        """Whether it shows what there is: what a screenshot waits for."""
        return self.drawn

    @property
    def styles_by_role(self) -> dict[str, Style]:
        """What each role of a text looks like in the theme, made once."""
        if not self._styles:
            theme = self.app.current_theme
            self._styles = palette(self.app.theme_variables, dark=theme.dark, plain=theme.name == NO_COLOUR)
        return self._styles

    def notify_style_update(self) -> None:
        """The theme changed: styles are made anew."""
        self._styles = {}
        super().notify_style_update()

    def compose(self) -> ComposeResult:
        """Head, body, keys."""
        self._tabs = Static(id="tabs")
        yield Horizontal(self._tabs, Static(id="state"), id="head")
        yield from self.body()
        yield Footer(show_command_palette=False)

    def body(self) -> Iterable[Widget]:
        """What is between head and keys."""
        raise NotImplementedError

    def on_resize(self) -> None:
        """The head has three widths."""
        self.show_head()

    def on_screen_resume(self) -> None:
        """The head tells which screen this is."""
        self.show_head()

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
        width = self.app.size.width
        parts = ["[b $primary] λ [/]"]
        for name, title in TABS:
            number = key_text(ALL[f"app.{name}"].keys)
            shown = title if width >= _WIDE or name == self.SCOPE else title[:4] if width >= _MIDDLE else ""
            look = "b reverse $primary" if name == self.SCOPE else "$text-muted"
            parts.append(f"[@click=app.mode('{name}')][{look}] {number} {shown} [/][/]")
        self.query_one("#tabs", Static).update("".join(parts))
        state = Text(justify="right", no_wrap=True, overflow="ellipsis")
        if self._trouble:
            state.append(f"✗ {printable(self._trouble)[: max(width - 40, 20)]} ", "bold red")
        else:
            if width >= _WIDE:
                state.append(f"{printable(self.feed.label)}   ", "dim")
            state.append_text(self._state)
        self.query_one("#state", Static).update(state)

    def act(self, call: str) -> Any:
        """Run an action of this screen, as its key would."""
        return self.app.run_action(call, default_namespace=self)
