"""A destination that fails as it is told to."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.clock import ManualClock


def fault(code: str, message: str = "", **headers: str) -> ClientError:
    """An error as botocore raises it."""
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPHeaders": headers}},  # type: ignore[typeddict-item]
        "PutLogEvents",
    )


class Destination:
    """A CloudWatch Logs client. `fails` is asked with the number of each call to PutLogEvents for an error to raise."""

    def __init__(self, clock: ManualClock | None = None) -> None:
        self.clock = clock
        self.fails: Callable[[int], Exception | None] | None = None
        self.refused_streams: set[str] = set()
        self.missing = False
        self.batches: list[list[str]] = []
        self.calls: list[str] = []
        self._lock = threading.Lock()
        self._count = 0

    def put_log_events(self, **params: Any) -> dict[str, Any]:
        """Take a batch, or fail."""
        with self._lock:
            self._count += 1
            error = self.fails(self._count) if self.fails is not None else None
            if params["logStreamName"] in self.refused_streams:
                error = fault("AccessDeniedException")
            if error is not None:
                raise error
            self.batches.append([event["message"] for event in params["logEvents"]])
            return {}

    def messages(self) -> list[str]:
        """All that was taken, in order."""
        with self._lock:
            return [message for batch in self.batches for message in batch]

    def close(self) -> None:
        """As boto3's client has it."""
