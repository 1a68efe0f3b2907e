"""Stores with something in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambdalog.store import LogStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.clock import ManualClock

GROUP = "/aws/lambda/orders"


@pytest.fixture
def store(store_path: Path, clock: ManualClock) -> Iterator[LogStore]:
    """A store with one group and one stream."""
    with LogStore(store_path, clock=clock) as opened:
        opened.create_group(GROUP)
        opened.create_stream(GROUP, "s")
        yield opened
