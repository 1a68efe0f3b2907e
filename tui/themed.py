"""What the theme's colours make of each role of a text, for every widget that draws by roles."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget

from tui.palette import palette
from tui.theme_names import NO_COLOUR


class Themed(Widget):
    """Draws by roles."""

    _by_role: dict[str, Style] | None = None

    @property
    def styles_by_role(self) -> dict[str, Style]:
        """Role → style, the same object until the theme changes."""
        if self._by_role is None:
            theme = self.app.current_theme
            self._by_role = palette(self.app.theme_variables, dark=theme.dark, plain=theme.name == NO_COLOUR)
        return self._by_role

    def ink(self, role: str) -> Style:
        """A role's colour and weight, for a text on another background."""
        style = self.styles_by_role[role]
        return Style(color=style.color, bold=style.bold, italic=style.italic, reverse=style.reverse)

    def notify_style_update(self) -> None:
        """The theme changed: styles are made anew."""
        self._by_role = None
        super().notify_style_update()
