"""Where every event went: the sums always meet what was accepted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

# Reasons, as they stand in a ledger.
TOO_NEW = "too new"
TOO_OLD = "too old"
EXPIRED = "expired"
NO_ROOM = "no room in memory"
NO_TIME = "not delivered before exit"
NO_SPOOL = "the spool could not take it"


@dataclass
class Ledger:
    """Events by what became of them; `refused` and `dropped` by reason. A message over 1 MB is several events.

    accepted == delivered + spooled + refused + dropped + pending, at any time. `recovered` are events out of the
    spool, of this shipper or another one, that were delivered later; `recovered_refused` those of them that the
    destination did not take, by reason.
    """

    accepted: int = 0
    delivered: int = 0
    spooled: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    recovered: int = 0
    recovered_refused: Counter[str] = field(default_factory=Counter)

    @property
    def pending(self) -> int:
        """Accepted, and not yet anything else."""
        return self.accepted - self.delivered - self.spooled - self.refused.total() - self.dropped.total()

    def copy(self) -> Ledger:
        """As it stands now."""
        return Ledger(
            self.accepted,
            self.delivered,
            self.spooled,
            Counter(self.refused),
            Counter(self.dropped),
            self.recovered,
            Counter(self.recovered_refused),
        )

    def __str__(self) -> str:
        told = [f"{self.accepted} accepted", f"{self.delivered} delivered"]
        told += [
            f"{count} {name}"
            for name, count in (("spooled", self.spooled), ("pending", self.pending))
            if count
        ]
        told += [f"{count} refused ({why})" for why, count in self.refused.items()]
        told += [f"{count} dropped ({why})" for why, count in self.dropped.items()]
        if self.recovered:
            told.append(f"{self.recovered} delivered out of the spool")
        told += [f"{count} of the spool refused ({why})" for why, count in self.recovered_refused.items()]
        return ", ".join(told)
