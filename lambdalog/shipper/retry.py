"""When to try again: pure decisions about errors and delays. There is no last attempt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# Errors that no waiting mends: somebody has to do something. They are tried again all the same, but rarely.
_NEEDS_SOMEBODY: Final = frozenset(
    {
        "AccessDeniedException",
        "AccessDenied",
        "ExpiredTokenException",
        "ExpiredToken",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "KMSAccessDeniedException",
        "MissingAuthenticationToken",
        "OptInRequired",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "TokenRetrievalError",
    }
)
# Errors of what was sent: the same again is refused again.
_OF_THE_BATCH: Final = frozenset(
    {"InvalidParameterException", "ParamValidationError", "SerializationException", "ValidationException"}
)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays that double from `first` to `longest` seconds, each shortened by chance: throttled together, not back together."""

    first: float = 0.2
    longest: float = 20.0
    # For errors that need somebody: a wrong policy isn't mended within a second.
    first_of_somebody: float = 2.0

    def delay(self, failures: int, error: BaseException, chance: Callable[[], float]) -> float:
        """Seconds until the next attempt, after so many failures in a row; `chance` gives 0 to 1."""
        first = self.first_of_somebody if code(error) in _NEEDS_SOMEBODY else self.first
        wanted: float = min(first * 2 ** min(failures - 1, 30), self.longest)
        return max(wanted * (0.5 + chance() / 2), min(_asked_for(error), self.longest))


def code(error: BaseException) -> str:
    """An error's code, as AWS has it, or its class's name."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        found = response.get("Error")
        if isinstance(found, dict) and found.get("Code"):
            return str(found["Code"])
    return type(error).__name__


def of_the_batch(error: BaseException) -> bool:
    """Whether an error is about what was sent, so that the same again is refused again."""
    return code(error) in _OF_THE_BATCH


def reason(error: BaseException) -> str:
    """What an error says, for a ledger and for people: one line of bounded length."""
    response: Any = getattr(error, "response", None)
    found = response.get("Error") if isinstance(response, dict) else None
    text = str(found.get("Message") or "") if isinstance(found, dict) else ""
    return " ".join((f"{code(error)}: {text}" if text else f"{code(error)}: {error}").split())[:300]


def _asked_for(error: BaseException) -> float:
    """Seconds that the service itself asks for, by Retry-After; 0 if it doesn't."""
    response: Any = getattr(error, "response", None)
    try:
        headers = response["ResponseMetadata"]["HTTPHeaders"]
        return max(float(headers["retry-after"]), 0.0)
    except (TypeError, KeyError, ValueError, AttributeError):
        return 0.0
