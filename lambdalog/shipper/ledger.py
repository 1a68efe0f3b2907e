"""Where every event went: the sums always meet what was accepted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Ledger:
    """Events by what became of them; `refused` and `dropped` by reason."""

    accepted: int = 0
    delivered: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def pending(self) -> int:
        """Accepted, and not yet anything else."""
        return self.accepted - self.delivered - self.refused.total() - self.dropped.total()
