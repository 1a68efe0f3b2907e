"""A widget that hands over the lines that it has until something of it changed.

Textual asks all that is visible for its lines at each frame, whatever that is of, and makes them anew of what it kept of
each: for a head, bars and a foot beside lines that come a sixth of a frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from textual.widget import Widget

if TYPE_CHECKING:
    from textual.geometry import Region
    from textual.strip import Strip


class Still(Widget):
    """Its lines are the same objects until it is refreshed, styled or asked for another part."""

    _still: tuple[Region, list[Strip]] | None = None

    def refresh(self, *regions: Region, **how: Any) -> Self:
        """It is drawn anew."""
        self._still = None
        return super().refresh(*regions, **how)

    def notify_style_update(self) -> None:
        """So it is in another theme."""
        self._still = None
        super().notify_style_update()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of `crop`."""
        if self._still is None or self._still[0] != crop:
            self._still = crop, super().render_lines(crop)
        return self._still[1]
