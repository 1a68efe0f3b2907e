"""Functions: made, shown, listed, changed, deleted."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.lambda_ import configuration
from lambdalog.local.lambda_.code import code_folder, read_code
from lambdalog.local.lambda_.configuration import Invalid, Violated
from lambdalog.local.lambda_.layers import Layers
from lambdalog.local.lambda_.names import LATEST, is_version
from lambdalog.local.lambda_.room import paged
from lambdalog.local.lambda_.versions import Versions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.local.lambda_.catalog import Record

TAGS_MAX: Final = 50


class Functions(Versions, Layers):
    """CreateFunction, GetFunction, ListFunctions, UpdateFunctionCode, UpdateFunctionConfiguration, DeleteFunction."""

    root: Path

    def create_function(
        self, *, FunctionName: str, Code: dict[str, Any], Publish: bool = False, **settings: Any
    ) -> dict[str, Any]:
        """CreateFunction."""
        named = self.named(FunctionName)
        name = named.name
        if len(name) > configuration.NAME_MAX:
            raise self.invalid(
                f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member must have "
                f"length less than or equal to {configuration.NAME_MAX}"
            )
        with self._worded():
            configuration.check(settings, self.limits)
            config = configuration.new(name, settings)
        tags = settings.get("Tags", {})
        if len(tags) > TAGS_MAX:
            raise self.invalid("Number of tags exceeds resource tag limit.")
        layers = self.layer_references(settings.get("Layers", []), config["Runtime"])
        code = read_code(self, self.root, Code, "CreateFunction")
        config |= {
            "FunctionArn": self.scope.function(name),
            "CodeSize": code.size,
            "CodeSha256": code.sha256,
            "LastModified": self.now_text(),
            "RevisionId": self.new_revision(),
        }
        record: Record = {"config": config, "code": code.where, "tags": tags, "next_version": 1}
        if layers:
            config["Layers"] = layers
        if "Environment" in settings:
            record["environment"] = self.sealed(name, settings["Environment"])
        if not self.catalog.add("function", name, "", record):
            raise self.conflict(f"Function already exist: {name}")
        if not Publish:
            return self.shown(record, name)
        version = self.publish(name, description=None)
        # Lambda gives the new version's number here, and the function's own ARN.
        return self.shown(version, name) | {"FunctionArn": config["FunctionArn"]}

    def get_function(self, *, FunctionName: str, Qualifier: str | None = None) -> dict[str, Any]:
        """GetFunction."""
        found = self.find(FunctionName, Qualifier)
        response: dict[str, Any] = {
            "Configuration": self.qualified(found),
            "Code": {
                "RepositoryType": "S3",
                "Location": code_folder(self.root, found.version["code"]).as_uri(),
            },
        }
        if found.record["tags"]:
            response["Tags"] = found.record["tags"]
        if "concurrency" in found.record:
            response["Concurrency"] = {"ReservedConcurrentExecutions": found.record["concurrency"]}
        return response

    def get_function_configuration(
        self, *, FunctionName: str, Qualifier: str | None = None
    ) -> dict[str, Any]:
        """GetFunctionConfiguration."""
        return self.qualified(self.find(FunctionName, Qualifier))

    def list_functions(
        self,
        *,
        MasterRegion: str | None = None,
        FunctionVersion: str | None = None,
        Marker: str | None = None,
        MaxItems: int | None = None,
    ) -> dict[str, Any]:
        """ListFunctions, by name; `ALL` has every version, each beneath its function."""
        del MasterRegion
        records: list[Record] = []
        for name, _, record in self.catalog.all("function"):
            if FunctionVersion == "ALL":
                records += [self.latest(record), *self.versions_of(name)]
            else:
                records.append(record)
        page, marker = paged(records, Marker, MaxItems)
        response: dict[str, Any] = {
            "Functions": [
                configuration.listed(self.shown(record, record["config"]["FunctionName"])) for record in page
            ]
        }
        if marker is not None:
            response["NextMarker"] = marker
        return response

    def update_function_code(
        self,
        *,
        FunctionName: str,
        Publish: bool = False,
        DryRun: bool = False,
        RevisionId: str | None = None,
        Architectures: list[str] | None = None,
        **code: Any,
    ) -> dict[str, Any]:
        """UpdateFunctionCode."""
        name = self._whole(FunctionName)
        taken = read_code(self, self.root, code, "UpdateFunctionCode")

        def change(record: Record) -> None:
            record["code"] = taken.where
            record["config"] |= {"CodeSize": taken.size, "CodeSha256": taken.sha256} | self._stamp()
            if Architectures is not None:
                record["config"]["Architectures"] = Architectures

        if DryRun:
            record = self._dry(name, RevisionId)
            change(record)
            return self.shown(record, name)
        record = self.change_function(name, change, RevisionId)
        if Publish:
            return self.shown(self.publish(name, description=None), name)
        return self.shown(record, name)

    def update_function_configuration(
        self, *, FunctionName: str, RevisionId: str | None = None, **settings: Any
    ) -> dict[str, Any]:
        """UpdateFunctionConfiguration."""
        name = self._whole(FunctionName)
        with self._worded():
            configuration.check(settings, self.limits)

        def change(record: Record) -> None:
            config = record["config"]
            configuration.update(config, settings)
            if "Layers" in settings:
                config.pop("Layers", None)
                if layers := self.layer_references(settings["Layers"], config["Runtime"]):
                    config["Layers"] = layers
            if "Environment" in settings:
                record["environment"] = self.sealed(name, settings["Environment"])
            config |= self._stamp()

        with self._worded():
            return self.shown(self.change_function(name, change, RevisionId), name)

    def delete_function(self, *, FunctionName: str, Qualifier: str | None = None) -> dict[str, Any]:
        """DeleteFunction: with everything that goes with it; with a qualifier, one version."""
        named = self.named(FunctionName, Qualifier)
        if self.catalog.get("function", named.name) is None:
            raise self.no_function(named.name)
        if named.qualifier is None:
            self.catalog.remove_function(named.name)
            return {"StatusCode": 204}
        if named.qualifier == LATEST:
            raise self.invalid("$LATEST version cannot be deleted without deleting the function.")
        if not is_version(named.qualifier):
            raise self.invalid("Deletion of aliases is not currently supported.")
        self.remove_version(named.name, named.qualifier)
        return {"StatusCode": 204}

    # --- within this room

    def _whole(self, text: str) -> str:
        """The name of a function whose code or configuration is to be changed: that of `$LATEST` alone can be."""
        named = self.named(text)
        if named.qualifier not in {None, LATEST}:
            raise self.functions_only()
        if self.catalog.get("function", named.name) is None:
            raise self.no_function(named.name)
        return named.name

    def _dry(self, name: str, revision: str | None) -> Record:
        record = self.catalog.get("function", name)
        if record is None:
            raise self.no_function(name)
        if revision is not None and revision != record["config"]["RevisionId"]:
            raise self.stale()
        return record

    def _stamp(self) -> dict[str, str]:
        return {
            "LastModified": self.now_text(),
            "RevisionId": self.new_revision(),
            "LastUpdateStatus": "Successful",
        }

    @contextmanager
    def _worded(self) -> Iterator[None]:
        """What the configuration's rules forbid, as Lambda's errors."""
        try:
            yield
        except Invalid as error:
            raise self.invalid(str(error)) from None
        except Violated as error:
            raise self.error("ValidationException", str(error)) from None
