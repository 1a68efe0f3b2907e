"""After fork(): a lock that another thread held is held for ever in the child, so each owner makes a new one."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


# How many forks away from where the module was loaded this process is.
generation = 0


def _count() -> None:
    global generation  # noqa: PLW0603
    generation += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count)


def after_fork(renew: Callable[[], None]) -> None:
    """Call a bound method in each child process, for as long as its object lives."""
    method = weakref.WeakMethod(renew)

    def call() -> None:
        found = method()
        if found is not None:
            found()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=call)
