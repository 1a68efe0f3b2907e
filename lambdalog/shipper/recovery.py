"""What lies in the spool, sent: batch by batch, beside what is new, or by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lambdalog.errors import ShipError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.clock import Clock
    from lambdalog.shipper.ledger import Ledger
    from lambdalog.shipper.retry import Backoff
    from lambdalog.shipper.sender import Sender
    from lambdalog.shipper.spool import Spool
    from lambdalog.shipper.telling import Telling

# How often to look whether another process left something.
LOOK_SECONDS: Final = 60.0


class Recovery:
    """Sends the spool's batches, the oldest first. `error` is why the last one could not be sent."""

    def __init__(
        self,
        spool: Spool,
        sender: Sender,
        *,
        clock: Clock,
        backoff: Backoff,
        chance: Callable[[], float],
        telling: Telling,
    ) -> None:
        self._spool = spool
        self._sender = sender
        self._clock = clock
        self._backoff = backoff
        self._chance = chance
        self._telling = telling
        self._after = ""
        self._at = 0.0
        self._failures = 0
        self.error: Exception | None = None

    def soon(self) -> None:
        """Look at the next step: the destination takes events again, or something was kept."""
        self._at = 0.0

    def later(self, at: float) -> None:
        """Not before then (monotonic): the destination doesn't take events now."""
        self._at = max(self._at, at)

    def step(self, ledger: Ledger, lock: Any) -> float | None:
        """Send one batch, if it is time, counted in `ledger` under its `lock`; in how many seconds to look again.

        None if nothing is left. OSError if the spool can't be read.
        """
        now = self._clock.monotonic()
        if now < self._at:
            return self._at - now if len(self._spool) else None
        kept = self._spool.claim(self._after)
        if kept is None:
            # Behind one that failed there is nothing: from the beginning, later. Or others hold what there is.
            self._after = ""
            left = len(self._spool)
            if not self._failures:
                self._at = now + LOOK_SECONDS
            return max(self._at - now, 0.0) if left else None
        try:
            group, stream, entries = kept.read()
        except ShipError as error:
            self._telling.warn(str(error), "%s", error)
            return 0.0
        sent = self._sender.send(group, stream, entries)
        if sent.error is not None:
            kept.release()
            self._after = kept.path.name
            self._failures += 1
            self.error = sent.error
            delay = self._backoff.delay(self._failures, sent.error, self._chance)
            self._at = self._clock.monotonic() + delay
            return delay
        with lock:
            ledger.recovered += sent.delivered
            ledger.recovered_refused.update(sent.refused)
        kept.done()
        for why in sent.refused:
            self._telling.warn(
                f"spool {why}", "spooled log events for %s/%s were refused: %s", group, stream, why
            )
        self._failures = 0
        self.error = None
        return 0.0
