"""What may reach a terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from lambdalog.printable import printable


@given(st.text())
def test_nothing_that_acts_on_a_terminal_is_left(text: str) -> None:
    """No control, format or surrogate character gets through, and doing it twice changes nothing."""
    shown = printable(text)
    assert not [
        c for c in shown if unicodedata.category(c) in {"Cc", "Cs"} or c in "\u200b\u202e\u2066\ufeff"
    ]
    assert printable(shown) == shown


def test_control_characters_are_made_visible() -> None:
    """An escape sequence is shown as what it is."""
    assert printable("\x1b[2J\x07 a\tb\n") == "␛[2J␇ a    b␊"
    assert printable("\u202eexe") == "\\u{202e}exe"
    assert printable("naïve café 日本") == "naïve café 日本"
