"""One budget of calls a second for all that reads an account's logs: AWS counts them all together.

CloudWatch's quota differs by region and is shared with the account's other tools. So it is felt for: more calls a second
as long as nothing is refused, half as many after a refusal, and then a long time no more than what was granted.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.clock import Clock

# FilterLogEvents' smallest quota in any region, and what is left alone of the largest.
FIRST_RATE: Final = 5.0
MOST_RATE: Final = 20.0
LEAST_RATE: Final = 0.5
# So many more calls a second for each call that was granted: from the first rate to the most in a minute or two.
GROWTH: Final = 0.02
# How long the rate stays below the one that was refused.
CAREFUL_SECONDS: Final = 600.0
TRIES: Final = 8

# HTTP's statuses for what went wrong at the other end.
FAULT: Final = 500
THROTTLES: Final = frozenset(
    {
        "LimitExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


def throttled(error: ClientError) -> bool:
    """Whether AWS refused a call for its rate, or for now."""
    return error.response["Error"]["Code"] in THROTTLES


def passing(error: ClientError) -> bool:
    """Whether a call failed for a fault of the service's, which passes: 5xx, as every operation may answer now and then."""
    return bool(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= FAULT)


class Budget:
    """Calls a second, shared by threads. Half a second of them may be taken at once."""

    def __init__(self, clock: Clock, *, rate: float = FIRST_RATE, most: float = MOST_RATE) -> None:
        self.rate = rate
        self.refused = 0
        self._clock = clock
        self._most = most
        self._careful_until = float("-inf")
        self._ceiling = most
        self._lock = threading.Lock()
        # When the next call may be made: each call moves it on.
        self._next = clock.monotonic()

    def delay(self) -> float:
        """Seconds until a call may be made; 0 if one may now."""
        with self._lock:
            return max(self._next - self._clock.monotonic(), 0.0)

    def take(self) -> bool:
        """Make one call now; False if it must wait."""
        with self._lock:
            now = self._clock.monotonic()
            if self._next > now:
                return False
            self._next = max(self._next, now - 0.5) + 1 / self.rate
            return True

    def granted(self) -> None:
        """A call was answered."""
        with self._lock:
            careful = self._clock.monotonic() < self._careful_until
            self.rate = max(self.rate, min(self.rate + GROWTH, self._ceiling if careful else self._most))

    def pause(self, seconds: float) -> None:
        """Make no calls for so long: nobody answers. The rate stays what it was granted to be."""
        with self._lock:
            self._next = max(self._next, self._clock.monotonic() + seconds)

    def refuse(self) -> None:
        """A call was refused for its rate: fewer from now on, and none for as long as two of them take."""
        with self._lock:
            now = self._clock.monotonic()
            self._ceiling = max(self.rate * 0.8, LEAST_RATE)
            self._careful_until = now + CAREFUL_SECONDS
            self.rate = max(self.rate / 2, LEAST_RATE)
            self.refused += 1
            self._next = max(self._next, now + 2 / self.rate)

    def call(self, operation: Callable[..., Any], **params: Any) -> Any:
        """An operation's answer, waited for as long as it takes; raises what is no throttling, or too many refusals."""
        for attempt in range(TRIES):
            while not self.take():
                self._clock.sleep(self.delay())
            try:
                answer = operation(**params)
            except ClientError as error:
                if not throttled(error) or attempt == TRIES - 1:
                    raise
                self.refuse()
            else:
                self.granted()
                return answer
        raise AssertionError("a try returns or raises")
