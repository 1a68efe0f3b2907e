"""What the server says of itself."""

from __future__ import annotations

import contextlib
import logging

import pytest

from lambdalog.server.logs import told_on_stderr
from tests.unit.instrument.test_output import Terminal


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_a_terminal_is_told_in_colours_unless_unwanted(
    monkeypatch: pytest.MonkeyPatch, no_color: str, coloured: bool
) -> None:
    """A person at a terminal reads text, which NO_COLOR leaves without colours; what is more than verbose isn't told."""
    monkeypatch.setenv("NO_COLOR", no_color)
    with contextlib.redirect_stderr(Terminal()) as terminal, told_on_stderr():
        logging.getLogger("lambdalog.server").warning("the disk is full")
        logging.getLogger("lambdalog.server").debug("request")
    shown = terminal.shown.getvalue()
    assert b"the disk is full" in shown
    assert (b"\x1b[" in shown) == coloured
    assert shown.count(b"\n") == 1
