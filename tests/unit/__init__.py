"""Unit tests: each file mirrors one module."""
