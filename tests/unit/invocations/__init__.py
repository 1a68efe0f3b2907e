"""Invocations from log lines."""
