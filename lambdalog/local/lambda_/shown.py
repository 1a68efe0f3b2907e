"""Configurations as they are answered: the ARN as it was asked for, the environment decrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambdalog.local.lambda_.key import Undecryptable
from lambdalog.local.lambda_.names import LATEST
from lambdalog.local.lambda_.room import Room

if TYPE_CHECKING:
    from lambdalog.local.lambda_.catalog import Record
    from lambdalog.local.lambda_.room import Found


class Shown(Room):
    """What the rooms of functions and versions answer with."""

    def latest(self, record: Record) -> Record:
        """A function's record with the ARN that names `$LATEST`."""
        arn = f"{record['config']['FunctionArn']}:{LATEST}"
        return record | {"config": record["config"] | {"FunctionArn": arn}}

    def shown(self, version: Record, name: str) -> dict[str, Any]:
        """A version's configuration as it is answered: with its environment, decrypted."""
        config = dict(version["config"])
        if "environment" in version:
            try:
                config["Environment"] = {"Variables": self.variables(version, name)}
            except Undecryptable:
                config["Environment"] = {
                    "Error": {
                        "ErrorCode": "AccessDeniedException",
                        "Message": "Lambda was unable to decrypt your environment variables because the KMS access was "
                        "denied. Please check your KMS permissions.",
                    }
                }
        return config

    def qualified(self, found: Found) -> dict[str, Any]:
        """The configuration that a request asked for, with the ARN as it was asked for."""
        config = self.shown(found.version, found.name)
        if found.qualifier is not None:
            config["FunctionArn"] = self.scope.function(found.name, found.qualifier)
        return config

    def variables(self, version: Record, name: str) -> dict[str, str]:
        """A version's environment variables. Undecryptable if the store's key is not the one they were sealed with."""
        sealed = version.get("environment", "")
        return self.key.open(sealed, name) if sealed else {}

    def sealed(self, name: str, environment: dict[str, Any]) -> str:
        """An Environment parameter as it is kept. KMSAccessDeniedException if the store's key is none."""
        variables = environment.get("Variables", {})
        try:
            return self.key.seal(variables, name) if variables else ""
        except Undecryptable as error:
            raise self.undecryptable(str(error)) from None

    def same_variables(self, one: Record, other: Record, name: str) -> bool:
        """Whether two versions have the same environment; what can't be decrypted is not the same as anything else."""
        if one.get("environment") == other.get("environment"):
            return True
        if ("environment" in one) != ("environment" in other):
            return False
        try:
            return self.variables(one, name) == self.variables(other, name)
        except Undecryptable:
            return False
