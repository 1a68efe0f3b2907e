"""Whether AWS's answer says that a caller may not do what was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

# The services' own codes; the last two are SQS's for the key of an encrypted queue.
_CODES: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "KMS.AccessDeniedException",
        "KmsAccessDenied",
    }
)


def denied(error: ClientError) -> bool:
    """Whether AWS says that this caller may not do what was asked."""
    return error.response["Error"]["Code"] in _CODES
