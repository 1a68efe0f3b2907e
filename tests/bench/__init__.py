"""Benchmarks: our figure, the peer's in the same run, the ratio."""
