"""The inbox and replay."""
