"""A feed whose lines and failures the test hands over itself."""

from __future__ import annotations

import pytest

from tests.tui.feeds import MockFeed
from tests.tui.made import line


@pytest.fixture
def feed() -> MockFeed:
    """A feed with a hundred lines of history."""
    return MockFeed([line(number) for number in range(100)])
