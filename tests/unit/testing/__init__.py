"""lambdalog.testing."""
