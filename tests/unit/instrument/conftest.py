"""What tests of the handler's side begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambdalog import get_logger
from tests.unit.instrument.heard import Heard

if TYPE_CHECKING:
    from lambdalog.instrument.logger import Logger


@pytest.fixture
def heard() -> Heard:
    """What was written."""
    return Heard()


@pytest.fixture
def log(heard: Heard) -> Logger:
    """A logger as functions have it."""
    return get_logger(output=heard)
