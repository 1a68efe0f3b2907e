"""Who may invoke a function: AddPermission, RemovePermission, GetPolicy, and asking them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lambdalog.local.lambda_.names import LATEST, is_version
from lambdalog.local.lambda_.policies import InvalidPrincipal, allows, statement
from lambdalog.local.lambda_.room import Room

if TYPE_CHECKING:
    from lambdalog.local.lambda_.catalog import Record


class Permissions(Room):
    """AddPermission, RemovePermission, GetPolicy. A policy belongs to the function, a version or an alias."""

    def add_permission(
        self,
        *,
        FunctionName: str,
        Qualifier: str | None = None,
        RevisionId: str | None = None,
        **params: Any,
    ) -> dict[str, Any]:
        """AddPermission."""
        named = self.named(FunctionName, Qualifier)
        if named.qualifier == LATEST:
            raise self.invalid("We currently do not support adding policies for $LATEST.")
        name, qualifier = named.name, named.qualifier
        self._check_policy_target(name, qualifier)
        try:
            made = statement(params, self.scope.function(name, qualifier))
        except InvalidPrincipal:
            raise self.invalid(
                "The provided principal was invalid. Please check the principal and try again."
            ) from None
        with self.catalog.transaction():
            policy = self.catalog.get("policy", name, qualifier or "") or {"statements": []}
            if any(found["Sid"] == made["Sid"] for found in policy["statements"]):
                raise self.conflict(
                    f"The statement id ({made['Sid']}) provided already exists. Please provide a new statement id, or remove "
                    "the existing statement."
                )
            self._check_policy_revision(name, qualifier, policy, RevisionId)
            policy["statements"].append(made)
            self._keep_policy(name, qualifier, policy)
        return {"Statement": json.dumps(made, separators=(",", ":"))}

    def remove_permission(
        self,
        *,
        FunctionName: str,
        StatementId: str,
        Qualifier: str | None = None,
        RevisionId: str | None = None,
    ) -> dict[str, Any]:
        """RemovePermission."""
        named = self.named(FunctionName, Qualifier)
        name, qualifier = named.name, named.qualifier
        if self.catalog.get("function", name) is None:
            raise self.not_found(f"No policy found for: {self.scope.function(name, qualifier)}")
        self._check_policy_target(name, qualifier)
        with self.catalog.transaction():
            policy = self.catalog.get("policy", name, qualifier or "")
            if policy is None or not policy["statements"]:
                raise self.not_found("No policy is associated with the given resource.")
            kept = [found for found in policy["statements"] if found["Sid"] != StatementId]
            if len(kept) == len(policy["statements"]):
                raise self.not_found(f"Statement {StatementId} is not found in resource policy.")
            self._check_policy_revision(name, qualifier, policy, RevisionId)
            policy["statements"] = kept
            self._keep_policy(name, qualifier, policy)
        return {}

    def get_policy(self, *, FunctionName: str, Qualifier: str | None = None) -> dict[str, Any]:
        """GetPolicy."""
        named = self.named(FunctionName, Qualifier)
        qualifier = None if named.qualifier == LATEST else named.qualifier
        policy = self.catalog.get("policy", named.name, qualifier or "")
        if policy is None or not policy["statements"]:
            raise self.not_found("The resource you requested does not exist.")
        document = {"Version": "2012-10-17", "Id": "default", "Statement": policy["statements"]}
        return {
            "Policy": json.dumps(document, separators=(",", ":")),
            "RevisionId": self._policy_revision(named.name, qualifier, policy),
        }

    def may_invoke(self, name: str, qualifier: str | None, service: str, source_arn: str) -> bool:
        """Whether a function's policy lets a service (`s3.amazonaws.com`) invoke it for a source of this account."""
        key = "" if qualifier in {None, LATEST} else qualifier
        policy = self.catalog.get("policy", name, key or "")
        return policy is not None and allows(policy["statements"], service, source_arn, self.scope.account)

    # --- within this room

    def _check_policy_target(self, name: str, qualifier: str | None) -> None:
        if self.catalog.get("function", name) is None:
            raise self.no_function(name, qualifier)
        if qualifier is None:
            return
        if is_version(qualifier) or "$" in qualifier:
            if self.catalog.get("version", name, qualifier) is None:
                raise self.no_function(name, qualifier)
        elif self.catalog.get("alias", name, qualifier) is None:
            raise self.not_found(f"Cannot find alias arn: {self.scope.function(name, qualifier)}")

    def _check_policy_revision(
        self, name: str, qualifier: str | None, policy: Record, revision: str | None
    ) -> None:
        if revision is not None and revision != self._policy_revision(name, qualifier, policy):
            # An alias's revision is not its policy's.
            alias = qualifier is not None and not is_version(qualifier)
            raise self.stale("GetPolicy" if alias else "GetFunction/GetAlias")

    def _policy_revision(self, name: str, qualifier: str | None, policy: Record) -> str:
        if qualifier is not None and not is_version(qualifier):
            return str(policy.get("revision", ""))
        kind = (
            self.catalog.get("version", name, qualifier) if qualifier else self.catalog.get("function", name)
        )
        return str(kind["config"]["RevisionId"]) if kind is not None else ""

    def _keep_policy(self, name: str, qualifier: str | None, policy: Record) -> None:
        """Keep a policy; a function's or version's own revision changes with it."""
        revision = self.new_revision()
        policy["revision"] = revision
        self.catalog.put("policy", name, qualifier or "", policy)
        if qualifier is not None and not is_version(qualifier):
            return
        record = (
            self.catalog.get("version", name, qualifier) if qualifier else self.catalog.get("function", name)
        )
        if record is not None:
            record["config"]["RevisionId"] = revision
            self.catalog.put("version" if qualifier else "function", name, qualifier or "", record)
