"""The terminal dashboard. Only `tui.feed` reads data; everything else draws it."""
