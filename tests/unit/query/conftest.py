"""A filled store, and it opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambdalog.clock import ManualClock
from lambdalog.store import LogStore
from tests.unit.query.filled import T0, fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled store's folder; nobody writes there."""
    path = tmp_path_factory.mktemp("crew") / ".lambdalog"
    with LogStore(path, clock=ManualClock(T0 / 1000 + 3600)) as store:
        fill(store)
    return path


@pytest.fixture
def store(root: Path) -> Iterator[LogStore]:
    """That store, opened."""
    with LogStore(root, clock=ManualClock(T0 / 1000 + 3600)) as opened:
        yield opened
