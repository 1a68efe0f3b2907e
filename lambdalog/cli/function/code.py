"""lambdalog function create, update, delete."""

from __future__ import annotations

import sys
from typing import Any

import click

from lambdalog.cli.function.package import read_source
from lambdalog.cli.function.settings import parameters, settings_options
from lambdalog.cli.options import interactive, json_option, open_cloud, store_option, write_line
from lambdalog.cli.records import json_line, qualified
from lambdalog.errors import ConfigError
from lambdalog.printable import printable

copy_option = click.option(
    "--copy", is_flag=True, help="Take a folder's files in, as a zip, instead of running them in place."
)
publish_option = click.option("--publish", is_flag=True, help="Publish a version of it.")


@click.command(name="create")
@click.argument("source")
@click.option("--name", metavar="NAME", help="Else the one in lambdalog.toml, or the file's or folder's.")
@settings_options
@copy_option
@publish_option
@json_option
@store_option
def create(
    source: str,
    name: str | None,
    copy: bool,
    publish: bool,
    as_json: bool,
    store: str | None,
    **given: Any,
) -> None:
    """Make a function of SOURCE: path/file.py:function, a folder, or a zip; its ARN is printed.

    A lambdalog.toml beside the code says the rest; options say it over that. The dead-letter queue that it names is
    made in a store; on AWS it has to be there.
    """
    with open_cloud(store) as cloud:
        found = read_source(source, copy=copy or cloud.root is None)
        settings = found.settings | parameters(given, cloud.scope)
        if "Role" not in settings:
            settings["Role"] = _role(cloud)
        if "Handler" not in settings and not str(settings.get("Runtime", "")).startswith("provided"):
            raise click.UsageError(f"{source} doesn't say what is called; add --handler FILE.FUNCTION")
        # Only AWS needs to be told what runs a function; here it is whoever runs this.
        if "Runtime" not in settings and cloud.root is None:
            settings["Runtime"] = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        project = found.project
        if project is not None and project.dead_letter and "DeadLetterConfig" not in settings:
            settings["DeadLetterConfig"] = {"TargetArn": _queue(cloud, project.dead_letter)}
        client: Any = cloud.lambda_
        made = client.create_function(
            FunctionName=name or found.name, Code=found.code, Publish=publish, **settings
        )
        if project is not None:
            from lambdalog.local.lambda_.deploy import configure

            configure(client, made["FunctionName"], project)
    _tell(made, as_json=as_json)


@click.command(name="update")
@click.argument("function")
@click.argument("source")
@click.option("--dry-run", is_flag=True, help="Only check that it could be done.")
@copy_option
@publish_option
@json_option
@store_option
def update(
    function: str, source: str, dry_run: bool, copy: bool, publish: bool, as_json: bool, store: str | None
) -> None:
    """Give FUNCTION the code of SOURCE: a file's folder, a folder, or a zip. Settings: lambdalog function config."""
    with open_cloud(store) as cloud:
        found = read_source(source, copy=copy or cloud.root is None)
        client: Any = cloud.lambda_
        made = client.update_function_code(
            FunctionName=function, Publish=publish, DryRun=dry_run, **found.code
        )
    _tell(made, as_json=as_json)


@click.command(name="delete")
@click.argument("function")
@click.option("--yes", is_flag=True, help="Don't ask.")
@store_option
def delete(function: str, yes: bool, store: str | None) -> None:
    """Delete FUNCTION with its versions, aliases and settings; NAME:VERSION deletes one version. Asks first."""
    with open_cloud(store) as cloud:
        found = qualified(function)
        client: Any = cloud.lambda_
        client.get_function_configuration(**found)  # says so if there is none
        if not yes:
            if not interactive(sys.stdin):
                raise click.UsageError(f"this deletes {function}; say --yes if it shall")
            click.confirm(f"Delete {printable(function)}?", abort=True)
        client.delete_function(**found)


def _role(cloud: Any) -> str:
    if cloud.root is None:
        raise ConfigError("AWS needs the function's execution role; add --role ARN")
    from lambdalog.local.lambda_.service import ROLE

    return ROLE


def _queue(cloud: Any, name: str) -> str:
    if cloud.root is None:
        return str(cloud.scope.queue(name))
    from lambdalog.local.lambda_.deploy import queue_arn

    return queue_arn(cloud.sqs, name)


def _tell(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        json_line({key: value for key, value in made.items() if key != "ResponseMetadata"})
    else:
        write_line(made["FunctionArn"])
