"""lambdalog function layer."""

from __future__ import annotations

import sys
from typing import Any

import click

from lambdalog.cli.function.package import read_source
from lambdalog.cli.lazy import Group
from lambdalog.cli.options import interactive, json_option, open_cloud, store_option, write_line
from lambdalog.cli.records import every, json_line, show_table


@click.group(name="layer", cls=Group)
def layer() -> None:
    """Layers: archives that functions share; what lies in python/ can be imported."""


@layer.command(name="publish")
@click.argument("name")
@click.argument("source")
@click.option("--description", metavar="TEXT")
@click.option("--runtime", "runtimes", multiple=True, metavar="RUNTIME", help="One that it fits.")
@json_option
@store_option
def publish(
    name: str,
    source: str,
    description: str | None,
    runtimes: tuple[str, ...],
    as_json: bool,
    store: str | None,
) -> None:
    """Publish SOURCE, a folder or a zip, as the next version of layer NAME; its ARN is printed."""
    given: dict[str, Any] = {} if description is None else {"Description": description}
    if runtimes:
        given["CompatibleRuntimes"] = list(runtimes)
    with open_cloud(store) as cloud:
        client: Any = cloud.lambda_
        made = client.publish_layer_version(
            LayerName=name, Content=read_source(source, copy=True).code, **given
        )
    made.pop("ResponseMetadata", None)
    if as_json:
        json_line(made)
    else:
        write_line(made["LayerVersionArn"])


@layer.command(name="list")
@click.argument("name", required=False)
@json_option
@store_option
def list_(name: str | None, as_json: bool, store: str | None) -> None:
    """All layers with their newest versions, or the versions of one."""
    with open_cloud(store) as cloud:
        client: Any = cloud.lambda_
        if name is None:
            layers = every(client, "list_layers", "Layers")
            found = [layer["LatestMatchingVersion"] for layer in layers]
        else:
            found = list(every(client, "list_layer_versions", "LayerVersions", LayerName=name))
    if as_json:
        for version in found:
            json_line(version)
    elif found:
        show_table(
            ("layer", "created", "description"),
            ((v["LayerVersionArn"], v["CreatedDate"][:19], v.get("Description", "")) for v in found),
        )
    else:
        click.echo("There are no layers." if name is None else f"Layer {name} has no versions.")


@layer.command(name="delete")
@click.argument("name")
@click.argument("version", type=int)
@click.option("--yes", is_flag=True, help="Don't ask.")
@store_option
def delete(name: str, version: int, yes: bool, store: str | None) -> None:
    """Delete VERSION of layer NAME; functions that use it go on. Asks first."""
    with open_cloud(store) as cloud:
        client: Any = cloud.lambda_
        client.get_layer_version(LayerName=name, VersionNumber=version)  # says so if there is none
        if not yes:
            if not interactive(sys.stdin):
                raise click.UsageError(f"this deletes version {version} of {name}; say --yes if it shall")
            click.confirm(f"Delete version {version} of {name}?", abort=True)
        client.delete_layer_version(LayerName=name, VersionNumber=version)
