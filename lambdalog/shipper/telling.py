"""What a shipper says of itself, by standard logging: each trouble once in a while, never once an event."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from lambdalog.shipper.fleet import FLEET

if TYPE_CHECKING:
    from lambdalog.clock import Clock

logger = logging.getLogger("lambdalog.shipper")

# The same trouble is told once in so many seconds.
TELL_SECONDS: Final = 60.0
_KNOWN_MAX: Final = 1000


class Telling:
    """Logs as `lambdalog.shipper`; no shipper ships it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[str, float] = {}

    def warn(self, about: str, text: str, *args: object) -> None:
        """A warning, once a minute for each thing it is about."""
        now = self._clock.monotonic()
        last = self._told.get(about)
        if last is None or now - last >= TELL_SECONDS:
            if len(self._told) >= _KNOWN_MAX:
                self._told.clear()
            self._told[about] = now
            with FLEET.sending():
                logger.warning(text, *args)

    def over(self, about: str, text: str, *args: object) -> None:
        """It is over: the next time it is told at once."""
        self._told.pop(about, None)
        with FLEET.sending():
            logger.info(text, *args)

    @staticmethod
    def error(text: str, *args: object) -> None:
        """Something is lost, or wrong with ourselves."""
        with FLEET.sending():
            logger.error(text, *args)
