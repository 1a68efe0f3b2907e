"""lambdalog function config, events, concurrency."""

from __future__ import annotations

from typing import Any

import click

from lambdalog.cli.function.settings import parameters, settings_options
from lambdalog.cli.options import json_option, open_cloud, store_option, write_line
from lambdalog.cli.records import json_line, qualified, show_fields


@click.command(name="config")
@click.argument("function")
@settings_options
@click.option("--revision", metavar="ID", help="Only if this is the function's revision.")
@json_option
@store_option
def config(function: str, revision: str | None, as_json: bool, store: str | None, **given: Any) -> None:
    """Change FUNCTION's settings by what is given, and show them. The values of environment variables are not shown."""
    with open_cloud(store) as cloud:
        client: Any = cloud.lambda_
        changes = parameters(given, cloud.scope)
        if revision is not None:
            changes["RevisionId"] = revision
        if changes:
            found = client.update_function_configuration(FunctionName=function, **changes)
        else:
            found = client.get_function_configuration(**qualified(function))
    found.pop("ResponseMetadata", None)
    if "Variables" in found.get("Environment", {}):
        found["Environment"] = {"Variables": dict.fromkeys(found["Environment"]["Variables"], "***")}
    if as_json:
        json_line(found)
    else:
        show_fields(found.items())


@click.command(name="events")
@click.argument("function")
@click.option("--retries", type=click.IntRange(0, 2), help="Attempts after the first.")
@click.option("--max-age", type=click.IntRange(60, 21_600), metavar="SECONDS", help="60 to 21600.")
@click.option("--on-success", metavar="ARN", help="Where the record of a success goes; '' for nowhere.")
@click.option("--on-failure", metavar="ARN", help="Where the record of a failure goes; '' for nowhere.")
@click.option("--reset", is_flag=True, help="Back to Lambda's own: two retries, six hours, no destinations.")
@json_option
@store_option
def events(
    function: str,
    retries: int | None,
    max_age: int | None,
    on_success: str | None,
    on_failure: str | None,
    reset: bool,
    as_json: bool,
    store: str | None,
) -> None:
    """How FUNCTION's asynchronous events are retried and where they end; changed by what is given, and shown."""
    given: dict[str, Any] = {}
    if retries is not None:
        given["MaximumRetryAttempts"] = retries
    if max_age is not None:
        given["MaximumEventAgeInSeconds"] = max_age
    if on_success is not None or on_failure is not None:
        sides = (("OnSuccess", on_success), ("OnFailure", on_failure))
        given["DestinationConfig"] = {
            side: {"Destination": arn} if arn else {} for side, arn in sides if arn is not None
        }
    if reset and given:
        raise click.UsageError("--reset goes alone")
    with open_cloud(store) as cloud:
        client: Any = cloud.lambda_
        named = qualified(function)
        missing = client.exceptions.ResourceNotFoundException
        if reset:
            client.delete_function_event_invoke_config(**named)
            return
        try:
            found = client.get_function_event_invoke_config(**named)
        except missing:
            if not given:
                client.get_function_configuration(**named)  # says so if there is none
                found = {}
            else:
                found = client.put_function_event_invoke_config(**named, **given)
        else:
            if given:
                if "DestinationConfig" in given:
                    given["DestinationConfig"] = (
                        found.get("DestinationConfig", {}) | given["DestinationConfig"]
                    )
                found = client.update_function_event_invoke_config(**named, **given)
    found.pop("ResponseMetadata", None)
    if as_json:
        json_line(found)
        return
    sides_found = found.get("DestinationConfig", {})
    show_fields(
        (
            ("retries", found.get("MaximumRetryAttempts", 2)),
            ("max age", f"{found.get('MaximumEventAgeInSeconds', 21_600)} s"),
            ("on success", sides_found.get("OnSuccess", {}).get("Destination", "-")),
            ("on failure", sides_found.get("OnFailure", {}).get("Destination", "-")),
        )
    )


@click.command(name="concurrency")
@click.argument("function")
@click.argument("reserved", required=False, metavar="[N|none]")
@store_option
def concurrency(function: str, reserved: str | None, store: str | None) -> None:
    """Reserve N environments for FUNCTION, which are also its most; 0 switches it off, none lifts it. Shows what is."""
    if reserved not in {None, "none"} and not str(reserved).isdigit():
        raise click.UsageError(f"{reserved!r} is no number of environments; write one, or none")
    with open_cloud(store) as cloud:
        client: Any = cloud.lambda_
        if reserved == "none":
            client.delete_function_concurrency(FunctionName=function)
        elif reserved is not None:
            client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=int(reserved))
        found = client.get_function_concurrency(FunctionName=function)
    write_line(str(found.get("ReservedConcurrentExecutions", "none")))
