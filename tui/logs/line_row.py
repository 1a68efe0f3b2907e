"""A log line as one row of a pane's text: level, message and its fields, cut to the width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui.grid import Part, fit
from tui.logs.format import level_role, message_spans

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.style import Style
    from rich.text import Text

# Of a long line no more is laid out.
REACH: Final = 2000
_LEVEL: Final = 6


def append_row(text: Text, message: str, width: int, styles: Mapping[str, Style]) -> None:
    """Add a message as a row of at most `width` columns to `text`; a stack trace is for the logs screen."""
    role = level_role(message)
    text.append(f"{'' if role == 'plain' else role.upper():<{_LEVEL}}", styles[role])
    parts = [Part(span.text[:REACH], span.role) for span in message_spans(message)]
    for part in fit(tuple(parts), width - _LEVEL):
        text.append(part.text, styles[part.role])
    text.append("\n")
