"""The functions screen."""
