"""Functions, run for real."""
