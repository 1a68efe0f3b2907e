"""A log line as one row of a pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from tui.logs.line_row import append_row
from tui.palette import palette
from tui.theme_names import NO_COLOUR
from tui.themes import THEMES

if TYPE_CHECKING:
    from rich.style import Style

STYLES: dict[str, Style] = palette({}, dark=True, plain=True)


def _row(message: str, width: int) -> str:
    text = Text()
    append_row(text, message, width, STYLES)
    return text.plain


def test_a_json_line_is_its_level_message_and_fields() -> None:
    """A JSON line is told as the logs screen tells it, not as JSON."""
    assert _row('{"level":"ERROR","message":"no card","order":7}', 60) == "ERROR no card  order=7\n"


def test_a_plain_line_stands_under_the_others() -> None:
    """A line of no level begins where the messages of the others begin."""
    assert _row("hello\nworld", 60) == "      hello ⏎ world\n"


def test_a_row_is_never_wider_than_the_pane() -> None:
    """What is longer ends in an ellipsis, at the pane's width to the column, wide characters too."""
    for message in ("x" * 100_000, "宽" * 100, '{"message":"m","k":"' + "v" * 300 + '"}'):
        row = _row(message, 40)
        assert row.endswith("…\n")
        assert row.count("\n") == 1
        assert 39 <= cell_len(row.removesuffix("\n")) <= 40


def test_every_theme_has_a_style_for_every_role() -> None:
    """No level or part of a line is without a look, the theme without colours included."""
    assert NO_COLOUR in {theme.name for theme in THEMES}
    for level in ("FATAL", "ERROR", "WARN", "INFO", "DEBUG"):
        assert _row(f'{{"level":"{level}","message":"m"}}', 30) == f"{level:<6}m\n"


def test_hostile_text_is_shown_and_never_acts() -> None:
    """Escape sequences and markup are text."""
    row = _row("\x1b[2J[red]boo[/red]", 60)
    assert "\x1b" not in row
    assert "[red]boo[/red]" in row
