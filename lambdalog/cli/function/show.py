"""lambdalog function list, show."""

from __future__ import annotations

from typing import Any

import click

from lambdalog.cli.options import json_option, open_cloud, store_option, write_line
from lambdalog.cli.records import every, json_line, qualified, show_fields, show_table


@click.command(name="list")
@click.option("--versions", "all_versions", is_flag=True, help="Published versions too.")
@json_option
@store_option
def list_(all_versions: bool, as_json: bool, store: str | None) -> None:
    """All functions, by name."""
    with open_cloud(store) as cloud:
        chosen = {"FunctionVersion": "ALL"} if all_versions else {}
        found = list(every(cloud.lambda_, "list_functions", "Functions", **chosen))
    if as_json:
        for config in found:
            json_line(config)
    elif found:
        show_table(
            ("function", "version", "runtime", "handler", "memory", "timeout", "changed"),
            (
                (
                    config["FunctionName"],
                    config["Version"],
                    config.get("Runtime", "-"),
                    config.get("Handler", "-"),
                    f"{config['MemorySize']} MB",
                    f"{config['Timeout']} s",
                    config["LastModified"][:19],
                )
                for config in found
            ),
        )
    else:
        click.echo("There are no functions; make one with: lambdalog function create SOURCE")


@click.command(name="show")
@click.argument("function")
@click.option("--values", is_flag=True, help="Show the values of environment variables.")
@json_option
@store_option
def show(function: str, values: bool, as_json: bool, store: str | None) -> None:
    """FUNCTION's settings, versions, aliases and tags. Environment variables are named; --values shows what they hold."""
    with open_cloud(store) as cloud:
        client: Any = cloud.lambda_
        found = client.get_function(**qualified(function))
        config = found["Configuration"]
        if not values and "Variables" in config.get("Environment", {}):
            config["Environment"] = {"Variables": dict.fromkeys(config["Environment"]["Variables"], "***")}
        versions = [
            version["Version"]
            for version in every(
                client, "list_versions_by_function", "Versions", FunctionName=config["FunctionName"]
            )
        ][1:]
        aliases = list(every(client, "list_aliases", "Aliases", FunctionName=config["FunctionName"]))
    if as_json:
        found.pop("ResponseMetadata")
        json_line(found | {"Versions": versions, "Aliases": aliases})
        return
    variables = config.get("Environment", {}).get("Variables", {})
    show_fields(
        (
            ("function", config["FunctionName"]),
            ("arn", config["FunctionArn"]),
            ("version", config["Version"]),
            ("description", config.get("Description")),
            ("code", found["Code"].get("Location")),
            ("sha256", config["CodeSha256"]),
            ("runtime", config.get("Runtime")),
            ("handler", config.get("Handler")),
            ("memory", f"{config['MemorySize']} MB"),
            ("timeout", f"{config['Timeout']} s"),
            ("/tmp", f"{config.get('EphemeralStorage', {}).get('Size', 512)} MB"),  # noqa: S108 - the name of a setting
            ("environment", " ".join(f"{name}={value}" for name, value in variables.items())),
            ("layers", " ".join(layer["Arn"] for layer in config.get("Layers", []))),
            ("dead letters", config.get("DeadLetterConfig", {}).get("TargetArn")),
            ("log", config.get("LoggingConfig")),
            ("concurrency", found.get("Concurrency", {}).get("ReservedConcurrentExecutions")),
            ("tags", " ".join(f"{name}={value}" for name, value in found.get("Tags", {}).items())),
            ("versions", " ".join(versions)),
            ("changed", config["LastModified"]),
        )
    )
    for alias in aliases:
        write_line(f"alias {alias_text(alias)}")


def alias_text(alias: dict[str, Any]) -> str:
    """`live → 3, and 4 for 10 %`."""
    more = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    parts = "".join(f", and {version} for {weight:.4g}" for version, weight in more.items())
    return f"{alias['Name']} → {alias['FunctionVersion']}{parts}"
