"""The failures screen and its parts."""
