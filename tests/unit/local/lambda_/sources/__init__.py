"""Tests of the readers of event sources."""
