"""Health of functions."""
