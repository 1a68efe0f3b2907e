"""lambdalog function policy, tag."""

from __future__ import annotations

import json
from typing import Any

import click

from lambdalog.cli.options import json_option, open_cloud, store_option, write_line
from lambdalog.cli.records import json_line, pairs, qualified
from lambdalog.printable import printable


@click.command(name="policy")
@click.argument("function")
@click.option("--allow", metavar="SERVICE", help="Let s3, events, sns, an account, or * invoke it.")
@click.option("--source", metavar="ARN", help="With --allow: only for this bucket, rule or topic.")
@click.option("--id", "sid", metavar="ID", help="With --allow: the statement's name.  [default: the service]")
@click.option("--remove", metavar="ID", help="Take a statement away.")
@json_option
@store_option
def policy(
    function: str,
    allow: str | None,
    source: str | None,
    sid: str | None,
    remove: str | None,
    as_json: bool,
    store: str | None,
) -> None:
    """Who may invoke FUNCTION; changed by what is given, and shown."""
    if allow is None and (source or sid):
        raise click.UsageError("--source and --id belong to --allow")
    with open_cloud(store) as cloud:
        client: Any = cloud.lambda_
        named = qualified(function)
        if allow is not None:
            principal = (
                allow
                if "." in allow or ":" in allow or allow == "*" or allow.isdigit()
                else f"{allow}.amazonaws.com"
            )
            given: dict[str, Any] = {"SourceArn": source} if source else {}
            client.add_permission(
                **named,
                StatementId=sid or (allow.partition(".")[0] if allow != "*" else "everyone"),
                Action="lambda:InvokeFunction",
                Principal=principal,
                **given,
            )
        if remove is not None:
            client.remove_permission(**named, StatementId=remove)
        try:
            statements = json.loads(client.get_policy(**named)["Policy"])["Statement"]
        except client.exceptions.ResourceNotFoundException:
            client.get_function_configuration(**named)  # says so if there is none
            statements = []
    for found in statements:
        if as_json:
            json_line(found)
        else:
            condition = f" if {json.dumps(found['Condition'])}" if "Condition" in found else ""
            who = json.dumps(found["Principal"])
            write_line(printable(f"{found['Sid']}: {who} may {found['Action']}{condition}"))


@click.command(name="tag")
@click.argument("function")
@click.argument("tags", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--remove", multiple=True, metavar="KEY", help="Take a tag away.")
@json_option
@store_option
def tag(
    function: str, tags: tuple[str, ...], remove: tuple[str, ...], as_json: bool, store: str | None
) -> None:
    """Give FUNCTION tags, and show those it has."""
    given = pairs(tags, "tag")
    with open_cloud(store) as cloud:
        client: Any = cloud.lambda_
        arn = client.get_function_configuration(FunctionName=function)["FunctionArn"]
        if given:
            client.tag_resource(Resource=arn, Tags=given)
        if remove:
            client.untag_resource(Resource=arn, TagKeys=list(remove))
        found = client.list_tags(Resource=arn)["Tags"]
    if as_json:
        json_line(found)
    else:
        for name, value in sorted(found.items()):
            write_line(printable(f"{name}={value}"))
