"""What is installed beside what a deployed function needs: the extra `cli`, everything that runs at a desk."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def at_a_desk() -> Iterator[None]:
    """Say what to install where a module is imported that isn't there. ConfigError."""
    try:
        yield
    except ModuleNotFoundError as error:
        missing = f"{error.name} is missing; what reads or serves a store needs: pip install 'lambdalog[cli]'"
        raise ConfigError(missing) from error
