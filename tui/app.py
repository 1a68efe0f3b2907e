"""The dashboard: a screen a mode, one feed, one table of actions.

Reading happens in worker threads; what they find comes back as messages. Nothing blocks the keyboard.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, cast

from textual.app import App, SystemCommand
from textual.command import DiscoveryHit, Hit, Provider
from textual.events import Key
from textual.widgets import Input

from lambdalog.clock import SYSTEM, Clock
from tui import session as sessions
from tui.actions import APP, SCOPES, bindings
from tui.key_text import key_text
from tui.logs.format import day_text
from tui.modes import MODES, screen_class
from tui.screen import ModeScreen
from tui.settings import Settings, state_folder
from tui.stylesheet import KeptStylesheet
from tui.theme_names import DARK
from tui.themes import THEMES
from tui.trouble import explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

    from textual.binding import BindingType
    from textual.command import Hits
    from textual.notifications import SeverityLevel
    from textual.screen import Screen

    from tui.early import Beginning
    from tui.feed import Feed
    from tui.invocations.screen import InvocationsScreen
    from tui.logs.screen import LogsScreen

Found = TypeVar("Found")


# The first screen is drawn by then.
LOAD_SECONDS: Final = 1.0

# Threads are made as they are needed; five screens hold about ten.
THREADS_MAX: Final = 64


class Actions(Provider):
    """The command palette: every action of this screen and of the app."""

    def _all(self) -> list[tuple[str, str, Callable[[], Any]]]:
        screen = self.screen
        found: list[tuple[str, str, Callable[[], Any]]] = []
        if isinstance(screen, ModeScreen):
            found += [
                (f"{action.title}  ({key_text(action.keys)})", action.help, partial(screen.act, action.call))
                for action in SCOPES[screen.SCOPE]
            ]
        found += [
            (
                f"{action.title}  ({key_text(action.keys)})",
                action.help,
                partial(self.app.run_action, action.call),
            )
            for action in APP
        ]
        return found

    async def discover(self) -> Hits:
        """All of them."""
        for title, help_text, run in self._all():
            yield DiscoveryHit(title, run, help=help_text)

    async def search(self, query: str) -> Hits:
        """Those whose title or help fits."""
        matcher = self.matcher(query)
        for title, help_text, run in self._all():
            score = max(matcher.match(title), matcher.match(help_text) * 0.8)
            if score > 0:
                yield Hit(score, matcher.highlight(title), run, help=help_text)


class Dashboard(App[None]):
    """Watches functions: logs, invocations, failures, health, queues."""

    TITLE = "lambdalog"
    CSS_PATH = "dashboard.tcss"
    MODES = MODES  # type: ignore[assignment]  # screens of ours
    DEFAULT_MODE = "logs"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {Actions}
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")
    ENABLE_COMMAND_PALETTE = True
    _shades: ClassVar[dict[str, dict[str, str]]] = {}

    def __init__(
        self,
        feed: Feed,
        *,
        clock: Clock = SYSTEM,
        settings: Settings | None = None,
        state: Path | None = None,
        screen: str = "",
        early: Beginning | None = None,
    ) -> None:
        """`state` is where sessions and copies are kept; `screen` the one to begin with; `early` what it begins with."""
        super().__init__()
        self.feed = feed
        self.clock = clock
        self.settings = settings or Settings()
        self.state = state if state is not None else state_folder(os.environ)
        self.session = (
            sessions.load(self.state, feed.label) if self.settings.restore_session else sessions.Session()
        )
        self._first = screen or (self.session.screen if self.session.screen in MODES else "logs")
        self.early = early
        self._came_from = ""
        self._leaving = threading.Event()
        for theme in THEMES:
            self.register_theme(theme)
        wanted = self.session.theme or self.settings.theme
        self.set_reactive(App.theme, wanted if wanted in self.available_themes else DARK)
        self.stylesheet = KeptStylesheet(variables=self.get_css_variables())

    def get_css_variables(self) -> dict[str, str]:
        """The colours of the theme, and what is made of them; made once for each theme."""
        name = self.current_theme.name
        if name not in self._shades:
            self._shades[name] = super().get_css_variables()
        self.theme_variables = self._shades[name]
        return self.theme_variables

    def on_load(self) -> None:
        """What the first screen needs."""
        # Each screen's reading holds threads for good, and asyncio's own pool has four beside the cores: on two cores
        # nobody would be left to answer a key.
        pool = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="dashboard")
        asyncio.get_running_loop().set_default_executor(pool)
        self.set_keymap(self.settings.keymap)
        if not self.is_headless:
            # Else the terminal would be left as it is, and the session be lost.
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, self._told_to_end, number)

    def on_mount(self) -> None:
        """Another first screen, if it is to be another one."""
        if self._first != "logs":
            self.switch_mode(self._first)
        self.set_timer(LOAD_SECONDS, self._load)
        if not self.is_headless:
            mind_background()
        # What was on the terminal is gone when a shell's `fg` brings this back.
        self.app_resume_signal.subscribe(self, lambda _: self.screen.refresh(layout=True))

    def on_unmount(self) -> None:
        """Threads are waited for at the end: they are to wait for nothing themselves."""
        self._leaving.set()
        self.feed.leave()
        if not self.is_headless:
            for number in (signal.SIGTSTP, signal.SIGCONT):  # Textual never takes its handlers away
                signal.signal(number, signal.SIG_DFL)

    def _told_to_end(self, number: signal.Signals) -> None:
        """Leave as by a key; the status is that of a process which the signal ended."""

        def leave() -> None:
            self.keep_session()
            self.exit(return_code=128 + number)

        self.call_after_refresh(leave)  # a screen that is still being made would fail

    def _load(self) -> None:
        """Load the other screens' modules, one after the other, while nobody waits for them; then look after the store."""

        def load() -> None:
            for name in MODES:
                screen_class(name)
            self.feed.keep_up(self._leaving, failed)

        told = ""

        def failed(what: str) -> None:
            nonlocal told
            if what != told:  # a disk that stays full is said once
                told = what
                self.call_later(self.notify, what, severity="warning")

        self.run_worker(load, thread=True, group="load", exit_on_error=False)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """None of Textual's own: the table of actions has what is there."""
        return ()

    # --- what screens share

    def ask(
        self,
        owner: Screen[Any],
        question: Callable[[], Found],
        answer: Callable[[Found], None],
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        """Ask the feed in a thread; the answer is used on the thread that draws, if `owner` is still there.

        Why there is none is said; then `failed` is called.
        """

        def work() -> None:
            try:
                found = question()
            except Exception as error:  # noqa: BLE001 - whatever the source says is shown
                self.call_from_thread(self.notify, explained(error), severity="error")
                self.call_from_thread(lambda: failed() if owner.is_mounted else None)
                return
            self.call_from_thread(lambda: answer(found) if owner.is_mounted else None)

        owner.run_worker(work, thread=True, group="ask", exit_on_error=False)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """A note that goes by itself; what it says is never taken for markup."""
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    def copy(self, text: str) -> None:
        """To the terminal's clipboard (OSC 52), and to a file for terminals that have none."""
        self.copy_to_clipboard(text)
        path = self.state / "copied.txt"
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            self.notify(f"copied; {path}: {error.strerror}", severity="warning")
        else:
            self.notify(f"copied; it is also in {path}")

    @property
    def settled(self) -> bool:
        """Whether the screen shows what there is."""
        return isinstance(self.screen, ModeScreen) and self.screen.settled

    @property
    def logs(self) -> LogsScreen:
        """The logs screen, which others jump to."""
        return cast("LogsScreen", self.get_screen_stack("logs")[0])

    def show_request(self, request_id: str) -> None:
        """The lines of a request, on the logs screen."""
        self._came_from = self.current_mode
        self.switch_mode("logs")
        self.logs.show_request(request_id)

    def show_invocations(self, *, function: str = "", request_id: str = "") -> None:
        """A function's invocations, or one of them as soon as it is there."""
        if self.current_mode != "invocations":
            self._came_from = self.current_mode
        self.switch_mode("invocations")
        screen = cast("InvocationsScreen", self.get_screen_stack("invocations")[0])
        screen.show(filter_text=function, request_id=request_id)

    def action_go_back(self) -> None:
        """From the lines of a request to the screen that led there."""
        if self._came_from in MODES and self._came_from != self.current_mode:
            self.switch_mode(self._came_from)
        else:
            self.bell()

    # --- keys

    def on_key(self, event: Key) -> None:
        """What was typed ahead, while `/` was on its way, belongs into the line that has the focus now."""
        # A line takes each character that comes by it: one that comes here was sent to what had the focus before.
        if event.is_printable and isinstance(self.focused, Input):
            event.prevent_default()
            self.focused.post_message(Key(event.key, event.character))

    def action_mode(self, name: str) -> None:
        """Another screen."""
        if name in MODES and isinstance(self.screen, ModeScreen):
            self.switch_mode(name)

    def action_keys(self) -> None:
        """The keys of this screen."""
        if isinstance(self.screen, ModeScreen):
            from tui.keys import Keys

            self.push_screen(Keys(self.screen.SCOPE, self.settings.keymap))

    def action_save_screenshot(self) -> None:
        """Draw the screen into a file."""
        now = day_text(self.clock.now_ms()).translate(str.maketrans(" :", "--"))
        path = Path(f"lambdalog-{now}.svg").absolute()
        try:
            path.write_text(drawn(self), encoding="utf-8")
        except OSError as error:
            self.notify(f"{path}: {error.strerror}", severity="error")
        else:
            self.notify(f"this screen is in {path}")

    async def action_quit(self) -> None:
        """Keep the session, and leave."""
        self.keep_session()
        self.exit()

    def keep_session(self) -> None:
        """Write down where the user is."""
        if not self.settings.restore_session:
            return
        shown = self.get_screen_stack(self.current_mode)[0]
        if isinstance(shown, ModeScreen) and shown.drawn:
            self.session.screens[shown.SCOPE] = shown.kept()
        session = replace(self.session, screen=self.current_mode, theme=self.theme)
        if self.logs.drawn:
            self.logs.remember(session)
        try:
            sessions.save(self.state, self.feed.label, session)
        except OSError as error:
            self.log(f"the session can't be kept: {error}")


def mind_background() -> None:
    """Come back from the background only if that is where this was.

    Textual begins to read the terminal anew at each SIGCONT, with a thread that nobody ends if it reads already: a shell
    that hangs up sends one to whatever runs.
    """
    stop, resume = signal.getsignal(signal.SIGTSTP), signal.getsignal(signal.SIGCONT)
    if not (callable(stop) and callable(resume)):
        return
    stopped = False

    def on_stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        stop(number, frame)

    def on_resume(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        if stopped:
            stopped = False
            resume(number, frame)

    signal.signal(signal.SIGTSTP, on_stop)
    signal.signal(signal.SIGCONT, on_resume)


def drawn(app: App[Any]) -> str:
    """The screen as SVG."""
    svg = app.export_screenshot(title="lambdalog dashboard", simplify=True)
    # Without this, some renderers drop the spaces that a run of text begins with.
    return svg.replace("<svg ", '<svg xml:space="preserve" ', 1)


async def screenshot(
    feed: Feed,
    size: tuple[int, int],
    *,
    screen: str = "logs",
    theme: str = DARK,
    settle_seconds: float = 10.0,
    **options: Any,
) -> str:
    """A screen as SVG, drawn without a terminal once it has been read, or after `settle_seconds` as far as it is."""
    settings = replace(Settings(), restore_session=False, theme=theme)
    app = Dashboard(feed, screen=screen, settings=settings, **options)
    async with app.run_test(size=size) as pilot:
        until = time.monotonic() + settle_seconds
        while time.monotonic() < until and not app.settled:
            await pilot.pause(0.05)
        # What was read last is laid out in turns: the screen is done when it stays as it is.
        before, now = "", drawn(app)
        while time.monotonic() < until + settle_seconds and now != before:
            await pilot.pause(0.4)  # the keys at the foot come last
            before, now = now, drawn(app)
        return now
