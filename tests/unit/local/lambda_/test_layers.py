"""Layers: published, listed, given to functions, deleted."""

from __future__ import annotations

from typing import Any

from tests.functions import zipped
from tests.refusals import refused

LAYER = "arn:aws:lambda:us-east-1:000000000000:layer:l"


def publish(client: Any, text: str = "x = 1", **params: Any) -> Any:
    """Publish a version of layer `l`."""
    content = {"ZipFile": zipped(**{"python/shared": text})}
    return client.publish_layer_version(LayerName="l", Content=content, **params)


def test_versions_of_a_layer_are_numbered(client: Any) -> None:
    """Each has its ARN, hash and size; the newest comes first; numbers are not used again."""
    made = publish(client, CompatibleRuntimes=["python3.12"], CompatibleArchitectures=["x86_64"])
    assert (made["LayerArn"], made["LayerVersionArn"], made["Version"]) == (LAYER, f"{LAYER}:1", 1)
    assert made["Content"]["CodeSize"] == len(zipped(**{"python/shared": "x = 1"}))
    publish(client, "x = 2", Description="second")
    versions = client.list_layer_versions(LayerName="l")["LayerVersions"]
    assert [found["Version"] for found in versions] == [2, 1]
    client.delete_layer_version(LayerName="l", VersionNumber=2)
    client.delete_layer_version(LayerName="l", VersionNumber=7)
    assert publish(client)["Version"] == 3
    assert refused(client.get_layer_version, LayerName="l", VersionNumber=2)[2] == 404
    assert client.get_layer_version_by_arn(Arn=f"{LAYER}:1")["Version"] == 1
    assert client.get_layer_version(LayerName=LAYER, VersionNumber=1)["Version"] == 1


def test_layers_are_listed_by_what_they_fit(client: Any) -> None:
    """Filters choose the newest version that fits; a layer without one is left out."""
    publish(client, CompatibleRuntimes=["python3.12"])
    publish(client, CompatibleRuntimes=["nodejs22.x"])
    (found,) = client.list_layers(CompatibleRuntime="python3.12")["Layers"]
    assert (found["LayerName"], found["LatestMatchingVersion"]["Version"]) == ("l", 1)
    assert client.list_layers(CompatibleRuntime="java21")["Layers"] == []
    assert client.list_layer_versions(LayerName="none")["LayerVersions"] == []


def test_a_function_has_layers_in_its_order(client: Any) -> None:
    """The configuration names them with their size, the runtime gets their folders, also of deleted versions."""
    publish(client, "x = 1")
    content = {"ZipFile": zipped(**{"python/other": "y = 2"})}
    client.publish_layer_version(LayerName="m", Content=content)
    arns = ["arn:aws:lambda:us-east-1:000000000000:layer:m:1", f"{LAYER}:1"]
    config = client.update_function_configuration(FunctionName="f", Layers=arns)
    assert [found["Arn"] for found in config["Layers"]] == arns
    client.delete_layer_version(LayerName="l", VersionNumber=1)
    first, second = client.spec(client.find("f")).layers
    assert (first / "python" / "other.py").read_text() == "y = 2"
    assert (second / "python" / "shared.py").read_text() == "x = 1"
    assert "Layers" not in client.update_function_configuration(FunctionName="f", Layers=[])
    text = refused(client.update_function_configuration, FunctionName="f", Layers=[f"{LAYER}:1"])[1]
    assert text == f"Layer version {LAYER}:1 does not exist."


def test_a_function_takes_one_version_of_a_layer(client: Any) -> None:
    """Two versions of the same layer, or one twice, are refused with both names."""
    publish(client)
    publish(client, "x = 2")
    for one, other in ((1, 2), (1, 1)):
        text = refused(
            client.update_function_configuration,
            FunctionName="f",
            Layers=[f"{LAYER}:{one}", f"{LAYER}:{other}"],
        )[1]
        assert text == (
            "Two different versions of the same layer are not allowed to be referenced in the same function. "
            f"{LAYER}:{one} and {LAYER}:{other} are versions of the same layer."
        )


def test_a_wrong_runtime_or_archive_is_refused(client: Any) -> None:
    """Unknown runtimes are listed, what is no zip is none."""
    code, text, _ = refused(
        client.publish_layer_version,
        LayerName="l",
        Content={"ZipFile": b"x"},
        CompatibleRuntimes=["invalidruntime"],
    )
    assert code == "ValidationException"
    assert (
        "Value '[invalidruntime]' at 'compatibleRuntimes' failed to satisfy constraint: Member must satisfy enum"
        in text
    )
    assert refused(client.publish_layer_version, LayerName="l", Content={"ZipFile": b"x"})[1].startswith(
        "Could not unzip"
    )
    assert client.list_layers()["Layers"] == []
