"""A stylesheet that is parsed when something in it changed.

Textual parses all of it anew at the start, at the first theme and at each screen that is shown for the first time, which
is a third of the time until the first line can be read.
"""

from __future__ import annotations

from textual.css.stylesheet import Stylesheet


class KeptStylesheet(Stylesheet):
    """As Textual's, but variables that are what they were change nothing."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._stale = False

    def set_variables(self, variables: dict[str, str]) -> None:
        """Take over other variables."""
        if variables != self._variables:
            self._stale = True
            super().set_variables(variables)

    def reparse(self) -> None:
        """Parse what variables that changed are used in: everything."""
        if self._stale:
            self._stale = False
            super().reparse()
