"""lambdalog function publish, alias."""

from __future__ import annotations

from typing import Any

import click

from lambdalog.cli.function.show import alias_text
from lambdalog.cli.lazy import Group
from lambdalog.cli.options import json_option, open_cloud, store_option, write_line
from lambdalog.cli.records import every, json_line
from lambdalog.printable import printable


@click.command(name="publish")
@click.argument("function")
@click.option("--description", metavar="TEXT")
@click.option("--code-sha256", metavar="HASH", help="Only if this is the code.")
@click.option("--revision", metavar="ID", help="Only if this is the function's revision.")
@json_option
@store_option
def publish(
    function: str,
    description: str | None,
    code_sha256: str | None,
    revision: str | None,
    as_json: bool,
    store: str | None,
) -> None:
    """Publish FUNCTION as it is now; the version's number is printed: the last one's, if nothing has changed."""
    given = {"Description": description, "CodeSha256": code_sha256, "RevisionId": revision}
    with open_cloud(store) as cloud:
        client: Any = cloud.lambda_
        chosen = {name: value for name, value in given.items() if value is not None}
        made = client.publish_version(FunctionName=function, **chosen)
    made.pop("ResponseMetadata", None)
    if as_json:
        json_line(made)
    else:
        write_line(made["Version"])


@click.group(name="alias", cls=Group)
def alias() -> None:
    """Names for a function's versions: NAME:ALIAS is invoked, and moves from version to version."""


@alias.command(name="set")
@click.argument("function")
@click.argument("name")
@click.argument("version")
@click.option(
    "--also", metavar="VERSION=WEIGHT", help="A second version, for this share (0 to 1) of invocations."
)
@click.option("--description", metavar="TEXT")
@store_option
def set_(
    function: str, name: str, version: str, also: str | None, description: str | None, store: str | None
) -> None:
    """Let alias NAME of FUNCTION lead to VERSION, and make it if it isn't there."""
    given: dict[str, Any] = {
        "FunctionVersion": version,
        "RoutingConfig": {"AdditionalVersionWeights": _weights(also)},
    }
    if description is not None:
        given["Description"] = description
    with open_cloud(store) as cloud:
        client: Any = cloud.lambda_
        try:
            client.get_alias(FunctionName=function, Name=name)
        except client.exceptions.ResourceNotFoundException:
            made = client.create_alias(FunctionName=function, Name=name, **given)
        else:
            made = client.update_alias(FunctionName=function, Name=name, **given)
    write_line(printable(alias_text(made)))


@alias.command(name="list")
@click.argument("function")
@json_option
@store_option
def list_(function: str, as_json: bool, store: str | None) -> None:
    """FUNCTION's aliases, by name."""
    with open_cloud(store) as cloud:
        for found in every(cloud.lambda_, "list_aliases", "Aliases", FunctionName=function):
            if as_json:
                json_line(found)
            else:
                write_line(printable(alias_text(found)))


@alias.command(name="delete")
@click.argument("function")
@click.argument("name")
@store_option
def delete(function: str, name: str, store: str | None) -> None:
    """Delete alias NAME of FUNCTION; the version that it led to stays."""
    with open_cloud(store) as cloud:
        client: Any = cloud.lambda_
        client.get_alias(FunctionName=function, Name=name)  # says so if there is none
        client.delete_alias(FunctionName=function, Name=name)


def _weights(also: str | None) -> dict[str, float]:
    if also is None:
        return {}
    version, equals, weight = also.partition("=")
    try:
        if not equals:
            raise ValueError
        return {version: float(weight)}
    except ValueError:
        raise click.UsageError(f"--also {also}: write VERSION=WEIGHT, as 4=0.1") from None
