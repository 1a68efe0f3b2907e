"""The options that configure a function, as the parameters of CreateFunction and UpdateFunctionConfiguration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli.records import pairs

if TYPE_CHECKING:
    from collections.abc import Callable

_OPTIONS = (
    click.option("--handler", metavar="FILE.FUNCTION", help="What is called."),
    click.option("--runtime", metavar="RUNTIME", help="python3.12, nodejs22.x, provided.al2023, …"),
    click.option("--timeout", type=int, metavar="SECONDS", help="1 to 900."),
    click.option("--memory", type=int, metavar="MB", help="128 to 10240."),
    click.option("--storage", type=int, metavar="MB", help="Size of /tmp, 512 to 10240."),
    click.option("--description", metavar="TEXT"),
    click.option("--role", metavar="ARN", help="The execution role; needed on AWS."),
    click.option("--env", multiple=True, metavar="NAME=VALUE", help="An environment variable; replaces all."),
    click.option("--dead-letter", metavar="ARN|QUEUE", help="Where failed events go; '' for nowhere."),
    click.option("--layer", "layers", multiple=True, metavar="ARN", help="A layer's version; replaces all."),
    click.option("--kms-key", metavar="ARN"),
    click.option("--tracing", type=click.Choice(["Active", "PassThrough"])),
    click.option("--log-format", type=click.Choice(["Text", "JSON"])),
    click.option("--log-level", metavar="LEVEL", help="Of the application, with --log-format JSON."),
    click.option("--system-log-level", type=click.Choice(["DEBUG", "INFO", "WARN"])),
    click.option("--log-group", metavar="GROUP"),
)


def settings_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """All of them, for a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def parameters(given: dict[str, Any], scope: Any) -> dict[str, Any]:
    """The parameters of what was given; what was not is left out. A queue's name becomes an ARN of the scope."""
    plain = {
        "Handler": given["handler"],
        "Runtime": given["runtime"],
        "Timeout": given["timeout"],
        "MemorySize": given["memory"],
        "Description": given["description"],
        "Role": given["role"],
        "KMSKeyArn": given["kms_key"],
    }
    made: dict[str, Any] = {name: value for name, value in plain.items() if value is not None}
    if given["storage"] is not None:
        made["EphemeralStorage"] = {"Size": given["storage"]}
    if given["env"]:
        made["Environment"] = {"Variables": pairs(given["env"], "--env")}
    if given["layers"]:
        made["Layers"] = [layer for layer in given["layers"] if layer]
    if given["tracing"] is not None:
        made["TracingConfig"] = {"Mode": given["tracing"]}
    if (target := given["dead_letter"]) is not None:
        made["DeadLetterConfig"] = {"TargetArn": _target(target, scope)}
    logging = {
        "LogFormat": given["log_format"],
        "ApplicationLogLevel": given["log_level"],
        "SystemLogLevel": given["system_log_level"],
        "LogGroup": given["log_group"],
    }
    if any(value is not None for value in logging.values()):
        made["LoggingConfig"] = {name: value for name, value in logging.items() if value is not None}
    return made


def _target(named: str, scope: Any) -> str:
    return named if not named or named.startswith("arn:") else scope.queue(named)
