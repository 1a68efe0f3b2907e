"""Topic services for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
from tests.unit.local.sns.rooms import Room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A topic service."""
    made = Room(tmp_path)
    yield made
    made.close()


@pytest.fixture
def trusting(tmp_path: Path) -> Iterator[Room]:
    """A topic service that may run commands."""
    made = Room(tmp_path, trusted=True)
    yield made
    made.close()
