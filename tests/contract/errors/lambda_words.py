"""What Lambda's errors have in common: codes, how their texts go, and statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.refusals import Refusal

F = "arn:aws:lambda:us-east-1:000000000000:function:"
ONE = "1 validation error detected: "
SET = "failed to satisfy constraint: Member must satisfy enum value set: ["
INVALID = "InvalidParameterValueException"
NONE = "ResourceNotFoundException"
# Of the codes whose status is not 400.
STATUS = {
    "ResourceNotFoundException": 404,
    "ResourceConflictException": 409,
    "PreconditionFailedException": 412,
}


def as_far_as(text: str, found: Refusal) -> Refusal:
    """A refusal with no more of its text than `text` has of it; all of it where that ends with a period."""
    return found if text.endswith(".") else found._replace(text=found.text[: len(text)])
