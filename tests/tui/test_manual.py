"""The dashboard's page is made from the code."""

from __future__ import annotations

from pathlib import Path

from tui.manual import render


def test_the_page_is_current() -> None:
    """docs/dashboard.md says what the tables of actions and settings say."""
    page = Path(__file__).resolve().parents[2] / "docs" / "dashboard.md"
    assert page.read_text(encoding="utf-8") == render(), "run: make docs"
