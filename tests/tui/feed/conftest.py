"""What the rooms of the feed read: a store in which something failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.failures.conftest import Pay

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud


@pytest.fixture
def pay(cloud: Cloud, tmp_path: Path) -> Pay:
    """A function whose failures lie in its dead-letter queue."""
    return Pay(cloud, tmp_path / "pay")
