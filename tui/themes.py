"""Themes of our own beside Textual's: the default pair, one of high contrast, and one without colours."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

from tui.theme_names import DARK, HIGH_CONTRAST, LIGHT, NO_COLOUR

THEMES: Final = (
    Theme(
        DARK,
        primary="#7aa2f7",
        secondary="#7dcfff",
        accent="#ff9e64",
        foreground="#c8d3f5",
        background="#161821",
        surface="#1e2130",
        panel="#2a2f45",
        success="#9ece6a",
        warning="#e0af68",
        error="#f7768e",
        variables={"footer-key-foreground": "#ff9e64", "block-cursor-foreground": "#161821"},
    ),
    Theme(
        LIGHT,
        primary="#2e5fd0",
        secondary="#0b7a99",
        accent="#b4501e",
        foreground="#22263a",
        background="#fafafc",
        surface="#eef0f6",
        panel="#dfe3ee",
        success="#3a7d1e",
        warning="#9a6700",
        error="#c21f3a",
        dark=False,
    ),
    Theme(
        HIGH_CONTRAST,
        primary="#00d7ff",
        secondary="#00ffff",
        accent="#ffff00",
        foreground="#ffffff",
        background="#000000",
        surface="#101010",
        panel="#303030",
        success="#00ff00",
        warning="#ffff00",
        error="#ff5f5f",
        variables={"text-disabled-solid": "#d0d0d0"},
    ),
    Theme(
        NO_COLOUR,
        primary="#ffffff",
        secondary="#ffffff",
        accent="#ffffff",
        foreground="#ffffff",
        background="#000000",
        surface="#1c1c1c",
        panel="#303030",
        success="#ffffff",
        warning="#ffffff",
        error="#ffffff",
        variables={"text-disabled-solid": "#b0b0b0"},
    ),
)
