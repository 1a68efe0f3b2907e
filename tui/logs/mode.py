"""How a filter that is typed is meant."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """How the filter line is read."""

    TEXT = "text"
    REGEX = "regex"
    PATTERN = "pattern"

    @property
    def next(self) -> Mode:
        """The one that the key switches to."""
        modes = list(Mode)
        return modes[(modes.index(self) + 1) % len(modes)]
