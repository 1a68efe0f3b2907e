"""Resource policies of an account: kept and shown. Nothing here asks them."""

from __future__ import annotations

import json
from typing import Any, Final

from lambdalog.local.logs.room import Room

# "An account can have up to 10 resource policies per Region."
POLICIES_MAX: Final = 10
PAGE: Final = 50
_NONE: Final = "Policy with name [{}] does not exist"


class Policies(Room):
    """The operations on resource policies, those of the account."""

    def put_resource_policy(
        self,
        *,
        policyName: str | None = None,
        policyDocument: str | None = None,
        resourceArn: str | None = None,
        expectedRevisionId: str | None = None,
    ) -> dict[str, Any]:
        """PutResourcePolicy."""
        del expectedRevisionId
        if resourceArn is not None:
            raise self._invalid("Policies of a single resource are not kept here, only those of the account.")
        if policyName is None or policyDocument is None:
            raise self._invalid("policyName and policyDocument are required.")
        try:
            json.loads(policyDocument)
        except (ValueError, RecursionError):
            raise self._invalid("Invalid policy document") from None
        db = self._try(lambda: self._ledger.tables.connection)
        now = self.clock.now_ms()
        done = db.execute(
            "INSERT INTO policies SELECT ?1, ?2, ?3 WHERE (SELECT count(*) FROM policies WHERE name <> ?1) < ?4"
            " ON CONFLICT DO UPDATE SET document = ?2, updated = ?3",
            (policyName, policyDocument, now, POLICIES_MAX),
        ).rowcount
        if not done:
            raise self.error("LimitExceededException", "Resource limit exceeded.")
        return {"resourcePolicy": _shape(policyName, policyDocument, now)}

    def describe_resource_policies(
        self,
        *,
        nextToken: str | None = None,
        limit: int = PAGE,
        resourceArn: str | None = None,
        policyScope: str = "ACCOUNT",
    ) -> dict[str, Any]:
        """DescribeResourcePolicies."""
        rows = (
            self._try(
                lambda: self._ledger.tables.connection.execute(
                    "SELECT name, document, updated FROM policies ORDER BY name"
                ).fetchall()
            )
            if self._ledger.exists and resourceArn is None and policyScope == "ACCOUNT"
            else []
        )
        page, token = self._page(rows, [row[0] for row in rows], limit, nextToken)
        response: dict[str, Any] = {"resourcePolicies": [_shape(*row) for row in page]}
        return response | ({"nextToken": token} if token else {})

    def delete_resource_policy(
        self,
        *,
        policyName: str | None = None,
        resourceArn: str | None = None,
        expectedRevisionId: str | None = None,
    ) -> dict[str, Any]:
        """DeleteResourcePolicy."""
        del resourceArn, expectedRevisionId
        db = self._try(lambda: self._ledger.tables.connection)
        if not db.execute("DELETE FROM policies WHERE name = ?", (policyName,)).rowcount:
            raise self.error("ResourceNotFoundException", _NONE.format(policyName))
        return {}


def _shape(name: str, document: str, updated: int) -> dict[str, Any]:
    return {"policyName": name, "policyDocument": document, "lastUpdatedTime": updated}
