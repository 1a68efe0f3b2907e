"""Layers: numbered archives that several functions share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lambdalog.arn import Arn
from lambdalog.local.lambda_.code import code_folder, read_code
from lambdalog.local.lambda_.configuration import RUNTIMES, runtimes_text
from lambdalog.local.lambda_.room import Room, paged

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.local.lambda_.catalog import Record

_MISSING: Final = "The resource you requested does not exist."


class Layers(Room):
    """PublishLayerVersion, GetLayerVersion, GetLayerVersionByArn, ListLayerVersions, ListLayers, DeleteLayerVersion."""

    root: Path

    def publish_layer_version(
        self,
        *,
        LayerName: str,
        Content: dict[str, Any],
        Description: str = "",
        CompatibleArchitectures: list[str] | None = None,
        CompatibleRuntimes: list[str] | None = None,
        LicenseInfo: str | None = None,
    ) -> dict[str, Any]:
        """PublishLayerVersion: the next number; numbers of deleted versions are not used again."""
        name = _layer_name(LayerName)
        if any(runtime not in RUNTIMES for runtime in CompatibleRuntimes or []):
            raise self.error(
                "ValidationException",
                f"1 validation error detected: Value '[{', '.join(CompatibleRuntimes or [])}]' at 'compatibleRuntimes' failed to "
                f"satisfy constraint: {runtimes_text().removesuffix(' or be a valid ARN')}",
            )
        code = read_code(self, self.root, Content, "PublishLayerVersion")
        with self.catalog.transaction():
            counter = self.catalog.get("layer", name) or {"next": 1}
            number = counter["next"]
            record = {
                "number": number,
                "description": Description,
                "created": self.now_text(),
                "architectures": CompatibleArchitectures or [],
                "runtimes": CompatibleRuntimes or [],
                "license": LicenseInfo,
                "code": code.where,
                "size": code.size,
                "sha256": code.sha256,
            }
            self.catalog.put("layer", name, "", {"next": number + 1})
            self.catalog.put("layer", name, str(number), record)
        return self._layer_shown(name, record)

    def get_layer_version(self, *, LayerName: str, VersionNumber: int) -> dict[str, Any]:
        """GetLayerVersion."""
        self._check_layer_number(VersionNumber)
        name = _layer_name(LayerName)
        record = self.catalog.get("layer", name, str(VersionNumber))
        if record is None or "deleted" in record:
            raise self.not_found(_MISSING)
        return self._layer_shown(name, record)

    def get_layer_version_by_arn(self, *, Arn: str) -> dict[str, Any]:
        """GetLayerVersionByArn."""
        found = self._layer_by_arn(Arn)
        if found is None:
            raise self.not_found(_MISSING)
        return self._layer_shown(*found)

    def list_layer_versions(
        self,
        *,
        LayerName: str,
        CompatibleRuntime: str | None = None,
        CompatibleArchitecture: str | None = None,
        Marker: str | None = None,
        MaxItems: int | None = None,
    ) -> dict[str, Any]:
        """ListLayerVersions, the newest first."""
        name = _layer_name(LayerName)
        versions = [
            self._layer_listed(name, record)
            for record in reversed(self._layer_versions(name))
            if _fits(record, CompatibleRuntime, CompatibleArchitecture)
        ]
        page, marker = paged(versions, Marker, MaxItems)
        return {"LayerVersions": page} | ({} if marker is None else {"NextMarker": marker})

    def list_layers(
        self,
        *,
        CompatibleRuntime: str | None = None,
        CompatibleArchitecture: str | None = None,
        Marker: str | None = None,
        MaxItems: int | None = None,
    ) -> dict[str, Any]:
        """ListLayers, each with its newest version that fits."""
        layers = []
        for name in self.catalog.names("layer"):
            fitting = [
                record
                for record in self._layer_versions(name)
                if _fits(record, CompatibleRuntime, CompatibleArchitecture)
            ]
            if fitting:
                layers.append(
                    {
                        "LayerName": name,
                        "LayerArn": self._layer_arn(name),
                        "LatestMatchingVersion": self._layer_listed(name, fitting[-1]),
                    }
                )
        page, marker = paged(layers, Marker, MaxItems)
        return {"Layers": page} | ({} if marker is None else {"NextMarker": marker})

    def delete_layer_version(self, *, LayerName: str, VersionNumber: int) -> dict[str, Any]:
        """DeleteLayerVersion; functions that use it go on, and one that isn't there is no error."""
        self._check_layer_number(VersionNumber)
        # The record stays for the functions that use it.
        self.catalog.change(
            "layer", _layer_name(LayerName), str(VersionNumber), lambda record: record | {"deleted": True}
        )
        return {}

    # --- for functions

    def layer_references(self, arns: list[str], runtime: str) -> list[dict[str, Any]]:
        """Layers as a function's configuration has them, with what it takes to find their code later on."""
        del runtime  # Lambda does not hold a layer's compatible runtimes against its functions
        if len(arns) > self.limits.layers_max:
            raise self.invalid(f"Cannot reference more than {self.limits.layers_max} layers.")
        seen: dict[str, str] = {}
        references = []
        for arn in arns:
            parsed = Arn.parse(arn)
            if parsed.region != self.scope.region:
                raise self.invalid(
                    "Layers are not in the same region as the function. Layers are expected to be in region "
                    f"{self.scope.region}."
                )
            layer = arn.rpartition(":")[0]
            if layer in seen:
                raise self.invalid(
                    "Two different versions of the same layer are not allowed to be referenced in the same function. "
                    f"{seen[layer]} and {arn} are versions of the same layer."
                )
            seen[layer] = arn
            found = self._layer_by_arn(arn)
            if found is None:
                raise self.invalid(f"Layer version {arn} does not exist.")
            references.append({"Arn": arn, "CodeSize": found[1]["size"]})
        return references

    def layer_folders(self, references: list[dict[str, Any]]) -> tuple[Path, ...]:
        """The unpacked folders of a configuration's layers, in its order."""
        folders = []
        for reference in references:
            found = self._layer_by_arn(reference["Arn"], deleted=True)
            if found is not None:
                folders.append(code_folder(self.root, found[1]["code"]))
        return tuple(folders)

    # --- within this room

    def _layer_by_arn(self, arn: str, *, deleted: bool = False) -> tuple[str, Record] | None:
        parsed = Arn.parse(arn)
        if parsed.region != self.scope.region or parsed.account != self.scope.account:
            return None
        _, name, number = parsed.resource.split(":")
        record = self.catalog.get("layer", name, number)
        return None if record is None or ("deleted" in record and not deleted) else (name, record)

    def _layer_versions(self, name: str) -> list[Record]:
        found = self.catalog.of("layer", name)
        return [
            found[number] for number in sorted(filter(None, found), key=int) if "deleted" not in found[number]
        ]

    def _check_layer_number(self, number: int) -> None:
        if number < 1:
            raise self.invalid("Layer Version Cannot be less than 1")

    def _layer_arn(self, name: str, number: int | None = None) -> str:
        resource = f"layer:{name}" if number is None else f"layer:{name}:{number}"
        return str(Arn("lambda", self.scope.region, self.scope.account, resource))

    def _layer_listed(self, name: str, record: Record) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "LayerVersionArn": self._layer_arn(name, record["number"]),
            "Version": record["number"],
            "Description": record["description"],
            "CreatedDate": record["created"],
            "CompatibleRuntimes": record["runtimes"],
            "CompatibleArchitectures": record["architectures"],
        }
        if record["license"] is not None:
            shown["LicenseInfo"] = record["license"]
        return shown

    def _layer_shown(self, name: str, record: Record) -> dict[str, Any]:
        return {
            "Content": {
                "Location": code_folder(self.root, record["code"]).as_uri(),
                "CodeSha256": record["sha256"],
                "CodeSize": record["size"],
            },
            "LayerArn": self._layer_arn(name),
        } | self._layer_listed(name, record)


def _layer_name(text: str) -> str:
    """A layer's name from its name or ARN."""
    return text.split(":")[6] if text.startswith("arn:") else text


def _fits(record: Record, runtime: str | None, architecture: str | None) -> bool:
    return (runtime is None or runtime in record["runtimes"]) and (
        architecture is None or architecture in record["architectures"]
    )
