"""STS, as far as clients ask who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambdalog.local.base import Double

if TYPE_CHECKING:
    from botocore.exceptions import ClientError


class Sts(Double):
    """GetCallerIdentity: the store's account, whoever asks."""

    service = "sts"

    def get_caller_identity(self) -> dict[str, Any]:
        """Account, ARN and user id."""
        account = self.scope.account
        return {"UserId": account, "Account": account, "Arn": f"arn:aws:iam::{account}:root"}

    def unknown_operation(self, operation: str) -> ClientError:
        """STS's words for what it doesn't have."""
        return self.error("InvalidAction", f"The action {operation} is not valid for this endpoint.")
