"""All about a queue, as text for a page."""

from __future__ import annotations

from dataclasses import replace

from tests.tui.made import queue_of
from tui.queues.told import place_text


def test_values_stand_below_each_other() -> None:
    """However long the names of attributes are; one that is longer than any of SQS's moves no other."""
    attributes = {"DelaySeconds": "0", "ApproximateNumberOfMessagesNotVisible": "7", "x" * 300: "y"}
    text = place_text(replace(queue_of("orders"), attributes=attributes)).plain
    lines = {line.split()[0]: line for line in text.split("\n") if line.startswith("  ")}
    column = lines["DelaySeconds"].index("0")
    assert lines["ApproximateNumberOfMessagesNotVisible"].index("7") == column
    assert lines["x" * 300].endswith("x  y")
