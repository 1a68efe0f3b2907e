"""The names of the themes of our own; what they look like is `tui.themes`."""

from __future__ import annotations

from typing import Final

DARK: Final = "lambdalog"
LIGHT: Final = "lambdalog-light"
HIGH_CONTRAST: Final = "high-contrast"
NO_COLOUR: Final = "no-colour"
