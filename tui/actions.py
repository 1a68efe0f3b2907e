"""Every action of the dashboard in one table: its keys, what it is called, what it does.

The footer, the help screen, the command palette and a user's keymap all read this table; a screen's bindings are made
from it. `call` is the name of a method `action_…` of the screen (or of the app), with its arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.binding import BindingType


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a user can do.

    `keys` are Textual's names of keys, separated by commas; the first is shown, as `display` if that is given. `footer`
    is whether the footer has room for it. What can't be undone has UPPERCASE keys only.
    """

    name: str
    keys: str
    call: str
    title: str
    help: str
    footer: bool = False
    display: str = ""


APP: Final = (
    Action("app.logs", "1", "mode('logs')", "Logs", "Lines of many groups, live."),
    Action("app.invocations", "2", "mode('invocations')", "Invocations", "A row per request: how it went, how long it took."),
    Action("app.failures", "3", "mode('failures')", "Failures", "What failed, grouped by what it has in common."),
    Action("app.functions", "4", "mode('functions')", "Functions", "How each function and version fares; invoke one."),
    Action("app.queues", "5", "mode('queues')", "Queues", "Queues and topics: how deep, how old, what lies in them."),
    Action("app.back", "backspace", "go_back", "Back", "From a request's lines to the screen that led there."),
    Action("app.help", "question_mark,f1", "keys", "Keys", "The keys of this screen.", footer=True, display="?"),
    Action("app.palette", "ctrl+p,colon", "command_palette", "Palette", "Every action, by its name.", display="^p"),
    Action("app.theme", "ctrl+t", "change_theme", "Theme", "Choose other colours.", display="^t"),
    Action("app.screenshot", "ctrl+s", "save_screenshot", "Screenshot", "Draw this screen into an SVG file.", display="^s"),
    Action("app.suspend", "ctrl+z", "suspend_process", "Suspend", "Back to the shell; its `fg` comes back here.", display="^z"),
    Action("app.quit", "q,ctrl+c", "quit", "Quit", "Leave; the next start takes up where this one ended.", footer=True),
)  # fmt: skip

LOGS: Final = (
    Action("logs.filter", "slash", "filter", "Filter", "Show only lines that match what you type.", footer=True, display="/"),
    Action("logs.mode", "ctrl+r", "filter_mode", "Filter by…", "Switch the filter: text, regular expression, CloudWatch pattern.", display="^r"),
    Action("logs.clear", "escape", "clear", "Show all", "Take the filter and the range of time away.", display="Esc"),
    Action("logs.pause", "p,space", "pause", "Pause", "Hold the text still; what comes is counted, not lost.", footer=True),
    Action("logs.resume", "end,G", "resume", "Follow", "Go to the newest line and follow.", footer=True, display="End"),
    Action("logs.up", "up,k", "move(-1)", "Up", "A line up."),
    Action("logs.down", "down,j", "move(1)", "Down", "A line down."),
    Action("logs.page_up", "pageup,ctrl+b", "page(-1)", "Page up", "A page towards older lines."),
    Action("logs.page_down", "pagedown,ctrl+f", "page(1)", "Page down", "A page towards newer lines."),
    Action("logs.top", "home,g", "top", "First line", "The oldest line there is."),
    Action("logs.next_error", "e", "find('error', 1)", "Next error", "The next line that is an error.", footer=True, display="e/E"),
    Action("logs.previous_error", "E", "find('error', -1)", "Previous error", "The last error before this line."),
    Action("logs.next_warning", "w", "find('warning', 1)", "Next warning", "The next warning or error."),
    Action("logs.previous_warning", "W", "find('warning', -1)", "Previous warning", "The last warning or error before this line."),
    Action("logs.next_same", "o", "find('same', 1)", "Next of request", "The next line of the same request."),
    Action("logs.previous_same", "O", "find('same', -1)", "Previous of request", "The last line of the same request before this one."),
    Action("logs.request", "r", "request", "This request", "Show only the lines of this line's request."),
    Action("logs.fold", "enter", "fold", "Unfold", "Lay this line's JSON out in its place, or fold it again.", footer=True, display="⏎"),
    Action("logs.detail", "v", "detail", "Whole line", "All of this line on a page of its own."),
    Action("logs.take", "f", "take(True)", "Filter by value", "Show only lines with the value under the cursor."),
    Action("logs.omit", "F", "take(False)", "Without value", "Show only lines without the value under the cursor."),
    Action("logs.context", "c", "context", "Context", "The lines of the same stream around this one."),
    Action("logs.bookmark", "m", "bookmark", "Bookmark", "Mark this line, or take the mark away."),
    Action("logs.note", "M", "note", "Note", "Write a note to this line."),
    Action("logs.next_mark", "u", "find('mark', 1)", "Next bookmark", "The next marked line."),
    Action("logs.previous_mark", "U", "find('mark', -1)", "Previous bookmark", "The last marked line before this one."),
    Action("logs.groups", "s", "groups", "Groups", "Choose groups and streams.", footer=True),
    Action("logs.jump", "t", "jump", "Time", "Go to a time: 10m, 14:05, yesterday 14:00.", footer=True),
    Action("logs.earlier", "comma,left_square_bracket", "step(-1)", "Earlier", "A bar of the histogram back.", display=","),
    Action("logs.later", "full_stop,right_square_bracket", "step(1)", "Later", "A bar of the histogram on.", display="."),
    Action("logs.zoom_in", "plus,equals_sign", "zoom(-1)", "Zoom in", "Less time in the histogram.", display="+"),
    Action("logs.zoom_out", "minus", "zoom(1)", "Zoom out", "More time in the histogram.", display="-"),
    Action("logs.wrap", "z", "wrap", "Wrap", "Break long lines instead of cutting them."),
    Action("logs.utc", "Z", "utc", "UTC", "Times in UTC, or of this place."),
    Action("logs.copy", "y", "copy", "Copy", "Copy this line to the clipboard, and to a file."),
    Action("logs.export", "x", "export", "Export", "Write all lines that match to a file."),
)  # fmt: skip

INVOCATIONS: Final = (
    Action("invocations.lines", "enter,l", "lines", "Its log lines", "The lines of this invocation, on the logs screen.", footer=True, display="⏎"),
    Action("invocations.filter", "slash", "filter", "Filter", "Show only rows with what you type: function, version, status, error, request.", footer=True, display="/"),
    Action("invocations.mode", "ctrl+r", "filter_mode", "Filter by…", "Switch the filter: text, regular expression, CloudWatch pattern.", display="^r"),
    Action("invocations.clear", "escape", "clear", "Show all", "Take the filter and the quick view away.", display="Esc"),
    Action("invocations.all", "a", "view('all')", "All", "All invocations, the newest first.", footer=True),
    Action("invocations.slowest", "s", "view('slowest')", "Slowest", "The slowest first.", footer=True),
    Action("invocations.failed", "f", "view('failed')", "Failed", "Only errors, timeouts and what was lost.", footer=True),
    Action("invocations.throttled", "t", "view('throttled')", "Throttled", "Only what was refused because too many ran; AWS tells only how many."),
    Action("invocations.cold", "c", "view('cold')", "Cold", "Only those for which an environment was started.", footer=True),
    Action("invocations.function", "n", "function", "This function", "Only invocations of this row's function.", footer=True),
    Action("invocations.copy", "y", "copy", "Copy", "Copy this request's id to the clipboard, and to a file."),
    Action("invocations.up", "up,k", "move(-1)", "Up", "A row up."),
    Action("invocations.down", "down,j", "move(1)", "Down", "A row down; below the first row, what comes is not followed."),
    Action("invocations.page_up", "pageup,ctrl+b", "page(-1)", "Page up", "A page up."),
    Action("invocations.page_down", "pagedown,ctrl+f", "page(1)", "Page down", "A page down."),
    Action("invocations.top", "home,g", "top", "Follow", "The first row: new invocations are seen as they come.", footer=True, display="g"),
    Action("invocations.bottom", "end,G", "bottom", "Last row", "The oldest row that is held."),
    Action("invocations.other", "tab", "other", "Other pane", "Between rows and waterfall."),
)  # fmt: skip

FAILURES: Final = (
    Action("failures.lines", "enter,l", "lines", "Its log lines", "The lines of this group's newest failure, on the logs screen.", footer=True, display="⏎"),
    Action("failures.replay", "R", "replay", "Replay", "Send this group's failures again: shows what it would do, and asks.", footer=True),
    Action("failures.edit", "E", "edit", "Edit and replay", "Change the newest failure's event and send only that; the message stays as it is.", footer=True),
    Action("failures.event", "v", "event", "Event", "The newest failure's event on a page of its own, as a tree."),
    Action("failures.discard", "D", "discard", "Discard", "Delete this group's failures from their queues: asks, and wants a reason.", footer=True),
    Action("failures.resolve", "s", "resolve", "Resolve", "Mark this group as resolved; if it fails again, it has regressed.", footer=True),
    Action("failures.mute", "m", "mute", "Mute", "Leave this group in peace, or take that back.", footer=True),
    Action("failures.muted", "M", "muted", "Show muted", "Show muted and resolved groups too, or hide them."),
    Action("failures.copy", "y", "copy", "Copy", "Copy this group's newest event to the clipboard, and to a file."),
    Action("failures.filter", "slash", "filter", "Filter", "Show only groups with what you type: type, message, function, queue, status.", footer=True, display="/"),
    Action("failures.mode", "ctrl+r", "filter_mode", "Filter by…", "Switch the filter: text, regular expression, CloudWatch pattern.", display="^r"),
    Action("failures.stop", "escape", "stop", "Stop", "Stop the replay that is running, after the failure it is at; else take the filter away.", display="Esc"),
    Action("failures.up", "up,k", "move(-1)", "Up", "A row up."),
    Action("failures.down", "down,j", "move(1)", "Down", "A row down."),
    Action("failures.page_up", "pageup,ctrl+b", "page(-1)", "Page up", "A page up."),
    Action("failures.page_down", "pagedown,ctrl+f", "page(1)", "Page down", "A page down."),
    Action("failures.top", "home,g", "top", "First row", "The first row."),
    Action("failures.bottom", "end,G", "bottom", "Last row", "The last row."),
    Action("failures.other", "tab", "other", "Other pane", "Between groups and detail."),
)  # fmt: skip

QUEUES: Final = (
    Action("queues.filter", "slash", "filter", "Filter", "Show only queues and topics whose names have what you type.", footer=True, display="/"),
    Action("queues.mode", "ctrl+r", "filter_mode", "Filter by…", "Switch the filter: text, regular expression, CloudWatch pattern.", display="^r"),
    Action("queues.clear", "escape", "clear", "Show all", "Take the filter away.", display="Esc"),
    Action("queues.open", "enter,v", "open", "Whole message", "From a queue into it; all of a message: its body as a tree, its attributes.", footer=True, display="⏎"),
    Action("queues.about", "a", "about", "Attributes", "All attributes of this queue or topic.", footer=True),
    Action("queues.look", "L", "look", "Look", "Look into a queue on AWS: SQS counts that as a receive of each message."),
    Action("queues.move", "M", "move_all", "Move", "Move all messages out of a dead-letter queue: asks where to.", footer=True),
    Action("queues.cancel_move", "C", "cancel_move", "Cancel move", "Cancel the move that is running; what was moved stays moved."),
    Action("queues.purge", "P", "purge", "Purge", "Delete all messages of a queue: its name has to be typed.", footer=True),
    Action("queues.copy", "y", "copy", "Copy", "Copy this message's body, or this queue's ARN, to the clipboard and to a file."),
    Action("queues.up", "up,k", "move(-1)", "Up", "A row up."),
    Action("queues.down", "down,j", "move(1)", "Down", "A row down."),
    Action("queues.page_up", "pageup,ctrl+b", "page(-1)", "Page up", "A page up."),
    Action("queues.page_down", "pagedown,ctrl+f", "page(1)", "Page down", "A page down."),
    Action("queues.top", "home,g", "top", "First row", "The first row."),
    Action("queues.bottom", "end,G", "bottom", "Last row", "The last row."),
    Action("queues.other", "tab", "other", "Other pane", "Between queues and what lies in one."),
)  # fmt: skip

FUNCTIONS: Final = (
    Action("functions.invocations", "enter,l", "invocations", "Its invocations", "What ran of this function, on the invocations screen.", footer=True, display="⏎"),
    Action("functions.invoke", "I", "invoke", "Invoke", "Run this version with a sample or edited event and watch it: asks first.", footer=True),
    Action("functions.queue", "E", "invoke(True)", "Queue event", "Queue an event for this version, which is retried if it fails: asks first.", footer=True),
    Action("functions.config", "v,c", "config", "Configuration", "All of this version's configuration.", footer=True),
    Action("functions.window", "w", "window", "Window", "Look back 15 minutes, an hour, 6 or 24 hours.", footer=True),
    Action("functions.sort", "s", "sort", "Order", "By name, runs, errors, p95 or cost.", footer=True),
    Action("functions.versions", "x", "versions", "Every version", "Published versions that did not run too, or hide them.", footer=True),
    Action("functions.filter", "slash", "filter", "Filter", "Show only rows with what you type: name, version, runtime, error.", footer=True, display="/"),
    Action("functions.mode", "ctrl+r", "filter_mode", "Filter by…", "Switch the filter: text, regular expression, CloudWatch pattern.", display="^r"),
    Action("functions.clear", "escape", "clear", "Show all", "Take the filter away.", display="Esc"),
    Action("functions.copy", "y", "copy", "Copy", "Copy this version's ARN to the clipboard, and to a file."),
    Action("functions.up", "up,k", "move(-1)", "Up", "A row up."),
    Action("functions.down", "down,j", "move(1)", "Down", "A row down."),
    Action("functions.page_up", "pageup,ctrl+b", "page(-1)", "Page up", "A page up."),
    Action("functions.page_down", "pagedown,ctrl+f", "page(1)", "Page down", "A page down."),
    Action("functions.top", "home,g", "top", "First row", "The first row."),
    Action("functions.bottom", "end,G", "bottom", "Last row", "The last row."),
    Action("functions.other", "tab", "other", "Other pane", "Between rows and detail."),
)  # fmt: skip

SCOPES: Final[dict[str, tuple[Action, ...]]] = {
    "app": APP,
    "logs": LOGS,
    "invocations": INVOCATIONS,
    "failures": FAILURES,
    "functions": FUNCTIONS,
    "queues": QUEUES,
}

ALL: Final[dict[str, Action]] = {action.name: action for actions in SCOPES.values() for action in actions}


def bindings(scope: str) -> list[BindingType]:
    """The bindings of a screen, or of the app."""
    from textual.binding import Binding  # settings read this table before Textual is loaded

    return [
        Binding(
            action.keys,
            action.call,
            action.title,
            show=action.footer,
            key_display=action.display or None,
            tooltip=action.help,
            id=action.name,
        )
        for action in SCOPES[scope]
    ]


def checked_keymap(keymap: Mapping[str, str]) -> dict[str, str]:
    """A user's keymap, action → keys. ConfigError for an action that isn't there, or a key that two actions would have."""
    for name in keymap:
        if name not in ALL:
            raise ConfigError(f"the keymap names {name!r}, which is no action; `?` shows them")
    for scope, actions in SCOPES.items():
        taken: dict[str, str] = {}
        for action in (*APP, *actions) if scope != "app" else APP:
            for key in keymap.get(action.name, action.keys).split(","):
                other = taken.setdefault(key.strip(), action.name)
                if other != action.name:
                    raise ConfigError(f"the keymap gives {key.strip()!r} to both {other} and {action.name}")
    return dict(keymap)
