"""Standard logging's records: what each of them has."""

from __future__ import annotations

import logging
from typing import Final

# The rest of a record's attributes is the caller's `extra`.
STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
