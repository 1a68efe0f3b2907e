"""lambdalog invoke."""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli.options import open_cloud, store_option, write_line
from lambdalog.errors import ConfigError, LambdalogError
from lambdalog.printable import printable

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud
    from lambdalog.runtime.project import Project


@click.command(name="invoke")
@click.argument("target")
@click.option(
    "-e",
    "--event",
    metavar="FILE|JSON",
    help="The event: a file, - for standard input, or an object or array as it stands.  [default: {}]",
)
@click.option("--async", "asynchronous", is_flag=True, help="Queue the event; print its request id.")
@click.option("--dry-run", is_flag=True, help="Only check that the function could be invoked so.")
@click.option(
    "--wait", is_flag=True, help="With --async: work on the queue until it is empty, retries included."
)
@click.option("--qualifier", metavar="Q", help="A version or alias.")
@click.option(
    "--client-context", metavar="JSON", help="What the function finds as its context's client_context."
)
@click.option("--log", "show_log", is_flag=True, help="Show the invocation's log on standard error.")
@click.option("--timeout", type=click.IntRange(1, 900), help="Seconds; for a file or folder.")
@click.option("--memory", type=click.IntRange(128, 10240), help="MB; for a file or folder.")
@click.option(
    "--env", multiple=True, metavar="NAME=VALUE", help="An environment variable; for a file or folder."
)
@store_option
def command(
    target: str,
    event: str | None,
    asynchronous: bool,
    dry_run: bool,
    wait: bool,
    qualifier: str | None,
    client_context: str | None,
    show_log: bool,
    timeout: int | None,
    memory: int | None,
    env: tuple[str, ...],
    store: str | None,
) -> None:
    """Run TARGET with an event and print its response: path/file.py:function, a folder, or a function's name.

    A file becomes a function of the store, named after it, and is run in place. Exit status 1 if the function failed.
    """
    from lambdalog.server.client import served_client

    if dry_run and (asynchronous or show_log):
        raise click.UsageError("--dry-run runs nothing: --async and --log don't go with it")
    if asynchronous and client_context is not None:
        raise click.UsageError("an asynchronous event has no client context")
    payload = _event(event)
    project = _project(target, timeout, memory, env)
    with open_cloud(store) as cloud:
        if wait and cloud.root is None:
            raise click.UsageError(
                "--wait is for a store on disk: on AWS, Lambda works on its events by itself"
            )
        name = target if project is None else _deploy(cloud, project)
        # Where the store is being served, its environments are warm.
        # Sent once, and waited for: boto3's own client would invoke again what takes longer than its patience.
        functions = served_client(cloud, "lambda") or cloud.careful("lambda")
        arguments: dict[str, Any] = {"FunctionName": name, "Payload": payload}
        if qualifier is not None:
            arguments["Qualifier"] = qualifier
        if client_context is not None:
            arguments["ClientContext"] = _context(client_context)
        if dry_run:
            functions.invoke(InvocationType="DryRun", **arguments)
            return
        if asynchronous:
            answer = functions.invoke(InvocationType="Event", **arguments)
            write_line(answer["ResponseMetadata"]["RequestId"])
            if wait:
                cloud.client("lambda").worker().drain()
            return
        answer = functions.invoke(LogType="Tail" if show_log else "None", **arguments)
        if show_log:
            for line in base64.b64decode(answer.get("LogResult", "")).decode("utf-8", "replace").splitlines():
                print(printable(line), file=sys.stderr)
        write_line(answer["Payload"].read().decode("utf-8", "replace"))
        if "FunctionError" in answer:
            raise SystemExit(1)


def _event(given: str | None) -> bytes:
    if given is None:
        return b"{}"
    where = f"in {given}"
    try:
        if given == "-":
            data, where = sys.stdin.buffer.read(), "in standard input"
        elif given.lstrip().startswith(("{", "[")):
            data, where = given.encode(errors="surrogateescape"), "given to --event"
        else:
            with open(given, "rb") as opened:  # noqa: PTH123 - a name as it was typed
                data = opened.read()
    except OSError as error:
        raise ConfigError(f"the event can't be read from {given}: {error.strerror}") from None
    try:
        json.loads(data)
    except ValueError as error:
        raise ConfigError(f"the event {where} is no JSON: {error}") from None
    return data


def _context(given: str) -> str:
    try:
        json.loads(given)
    except ValueError as error:
        raise click.UsageError(f"--client-context is no JSON: {error}") from None
    return base64.b64encode(given.encode()).decode()


def _project(target: str, timeout: int | None, memory: int | None, env: tuple[str, ...]) -> Project | None:
    from lambdalog.runtime.project import is_path, read_project

    if not is_path(target):
        if timeout or memory or env:
            raise click.UsageError(
                f"--timeout, --memory and --env are for a file or folder; {target} is a function's name"
            )
        return None
    project = read_project(target)
    variables = dict(project.environment)
    for pair in env:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--env {pair}: write NAME=VALUE")
        variables[name] = value
    return replace(
        project, timeout=timeout or project.timeout, memory=memory or project.memory, environment=variables
    )


def _deploy(cloud: Cloud, project: Project) -> str:
    from lambdalog.local.lambda_.deploy import deploy

    if cloud.root is None:
        raise LambdalogError(
            f"{project.folder} can be run on a store on disk; on AWS, name a deployed function"
        )
    return deploy(cloud.client("lambda"), cloud.sqs, project)
