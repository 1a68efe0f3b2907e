"""Keys as a person writes them."""

from __future__ import annotations

import pytest

from tui.key_text import key_text


@pytest.mark.parametrize(
    ("keys", "text"),
    [("slash", "/"), ("p,space", "p Space"), ("ctrl+p,colon", "^p :"), ("shift+left", "shift+←"), ("G", "G")],
)
def test_keys_are_written_as_they_are_labelled(keys: str, text: str) -> None:
    """Signs stand for names, `^` for the control key, a space between keys."""
    assert key_text(keys) == text
