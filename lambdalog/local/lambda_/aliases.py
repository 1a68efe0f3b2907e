"""Aliases: names for a version, and for a second one that gets a share of the invocations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.lambda_.names import LATEST
from lambdalog.local.lambda_.room import Room, paged

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.local.lambda_.catalog import Record

ADDITIONAL_MAX: Final = 1


def choose(alias: Record, random: Callable[[], float]) -> str:
    """The version that an invocation through an alias gets: the additional one if random() < its weight."""
    for number, weight in alias["weights"].items():
        if random() < weight:
            return str(number)
    return str(alias["version"])


class Aliases(Room):
    """CreateAlias, GetAlias, ListAliases, UpdateAlias, DeleteAlias."""

    def create_alias(
        self,
        *,
        FunctionName: str,
        Name: str,
        FunctionVersion: str,
        Description: str = "",
        RoutingConfig: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """CreateAlias."""
        name = self.named(FunctionName).name
        with self.catalog.transaction():
            if self.catalog.get("function", name) is None:
                raise self.no_function(name, FunctionVersion)
            weights = self._weights(name, FunctionVersion, RoutingConfig)
            record = {
                "version": FunctionVersion,
                "weights": weights,
                "description": Description,
                "revision": self.new_revision(),
            }
            if not self.catalog.add("alias", name, Name, record):
                raise self.conflict(f"Alias already exists: {self.scope.function(name, Name)}")
        return self._alias_shown(name, Name, record)

    def get_alias(self, *, FunctionName: str, Name: str) -> dict[str, Any]:
        """GetAlias."""
        name = self.named(FunctionName).name
        return self._alias_shown(name, Name, self._alias(name, Name))

    def list_aliases(
        self,
        *,
        FunctionName: str,
        FunctionVersion: str | None = None,
        Marker: str | None = None,
        MaxItems: int | None = None,
    ) -> dict[str, Any]:
        """ListAliases, by name; with a version, those that lead to it."""
        found = self.find(FunctionName)
        aliases = [
            self._alias_shown(found.name, alias, record)
            for alias, record in self.catalog.of("alias", found.name).items()
            if FunctionVersion in {None, record["version"]} or FunctionVersion in record["weights"]
        ]
        page, marker = paged(aliases, Marker, MaxItems)
        return {"Aliases": page} | ({} if marker is None else {"NextMarker": marker})

    def update_alias(
        self,
        *,
        FunctionName: str,
        Name: str,
        FunctionVersion: str | None = None,
        Description: str | None = None,
        RoutingConfig: dict[str, Any] | None = None,
        RevisionId: str | None = None,
    ) -> dict[str, Any]:
        """UpdateAlias; what is left out stays, an empty RoutingConfig takes the second version away."""
        name = self.named(FunctionName).name
        with self.catalog.transaction():
            if self.catalog.get("function", name) is None:
                raise self.no_function(name, FunctionVersion)
            record = self._alias(name, Name)
            if RevisionId is not None and RevisionId != record["revision"]:
                raise self.stale()
            if FunctionVersion is not None:
                record["version"] = FunctionVersion
            routing = (
                {"AdditionalVersionWeights": record["weights"]} if RoutingConfig is None else RoutingConfig
            )
            record["weights"] = self._weights(name, record["version"], routing)
            if Description is not None:
                record["description"] = Description
            record["revision"] = self.new_revision()
            self.catalog.put("alias", name, Name, record)
        return self._alias_shown(name, Name, record)

    def delete_alias(self, *, FunctionName: str, Name: str) -> dict[str, Any]:
        """DeleteAlias; one that isn't there is no error."""
        name = self.find(FunctionName).name
        with self.catalog.transaction():
            self.catalog.remove("alias", name, Name)
            self.catalog.remove("event_config", name, Name)
            self.catalog.remove("policy", name, Name)
        return {}

    def _alias(self, name: str, alias: str) -> Record:
        record = self.catalog.get("alias", name, alias)
        if record is None:
            raise self.not_found(f"Cannot find alias arn: {self.scope.function(name, alias)}")
        return record

    def _weights(self, name: str, version: str, routing: dict[str, Any] | None) -> dict[str, float]:
        """The additional versions with their weights; refused where they can't be."""
        weights: dict[str, float] = dict((routing or {}).get("AdditionalVersionWeights", {}))
        if len(weights) > ADDITIONAL_MAX:
            raise self.invalid(
                f"Number of items in AdditionalVersionWeights cannot be greater than {ADDITIONAL_MAX}"
            )
        if weights and version == LATEST:
            raise self.refusal(
                "InvalidParameterValueException",
                "$LATEST is not supported for an alias pointing to more than 1 version",
                who=None,
            )
        if version in weights:
            raise self.invalid(
                f"Invalid function version {version}. Function version {version} is already included in routing configuration."
            )
        for number in (version, *weights):
            if number != LATEST and self.catalog.get("version", name, number) is None:
                raise self.no_function(name, number)
        return weights

    def _alias_shown(self, name: str, alias: str, record: Record) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "AliasArn": self.scope.function(name, alias),
            "Name": alias,
            "FunctionVersion": record["version"],
            "Description": record["description"],
            "RevisionId": record["revision"],
        }
        if record["weights"]:
            shown["RoutingConfig"] = {"AdditionalVersionWeights": record["weights"]}
        return shown
