"""A store to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambdalog.clock import ManualClock
from lambdalog.store import LogStore
from tests.unit.query.insights.asking import T0

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(store_path: Path) -> Iterator[LogStore]:
    """A store with two groups of one stream each."""
    with LogStore(store_path, clock=ManualClock(T0 / 1000 + 3600)) as opened:
        for group in ("g", "h"):
            opened.create_group(group)
            opened.create_stream(group, "s")
        yield opened
