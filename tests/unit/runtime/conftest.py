"""What tests of asynchronous events share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambdalog.runtime.async_events import AsyncEvents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.clock import ManualClock


@pytest.fixture
def events(store_path: Path, clock: ManualClock) -> Iterator[AsyncEvents]:
    """A queue."""
    opened = AsyncEvents(store_path, clock=clock)
    yield opened
    opened.close()
