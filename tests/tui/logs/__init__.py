"""The logs screen and its parts."""
