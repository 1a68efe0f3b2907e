"""docs/dashboard.md, from the table of actions and the settings: `python -m tui.manual docs`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from tui.actions import SCOPES
from tui.key_text import key_text
from tui.settings import described

# The picture of a screen, beside this page.
STILL: Final = "dashboard-{}.svg"
_HEAD: Final = """\
# The dashboard

Made from the code by `make docs`. `lambdalog dashboard [GROUP…]` opens it on a store or on AWS; `--screen failures` begins
with the failures; `--screenshot FILE.svg` draws a screen without a terminal.

A filter is read as a text, a regular expression or a CloudWatch pattern; it searches all that the store holds, not only
what is loaded. Lines that come while you read elsewhere are counted and never move the text. What can't be undone has an
UPPERCASE key, tells the exact count first, and acts on just those failures, whatever comes meanwhile.
"""
_TITLES: Final = {
    "app": "Everywhere",
    "logs": "Logs",
    "invocations": "Invocations",
    "failures": "Failures",
    "functions": "Functions",
    "queues": "Queues and topics",
}
_SETTINGS: Final = """\
## Settings

`~/.config/lambdalog/dashboard.toml` (or where `$XDG_CONFIG_HOME` says, or the file that `LAMBDALOG_DASHBOARD_CONFIG` names).
A field that isn't there or a value that can't be is refused with its name. Sessions and copies lie in
`~/.local/state/lambdalog`.

"""


def render() -> str:
    """The page, as Markdown."""
    parts = [_HEAD]
    for scope, title in _TITLES.items():
        rows = [f"## {title}", "", "| keys | action | name in a keymap | what it does |", "|---|---|---|---|"]
        rows += [
            f"| {_escaped(key_text(action.keys))} | {action.title} | `{action.name}` | {_escaped(action.help)} |"
            for action in SCOPES[scope]
        ]
        if scope != "app":
            rows[1:1] = ["", f"![{title}]({STILL.format(scope)})"]
        parts.append("\n".join(rows) + "\n")
    parts.append(_SETTINGS + described())
    return "\n".join(parts)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    (Path(sys.argv[1]) / "dashboard.md").write_text(render(), encoding="utf-8")
