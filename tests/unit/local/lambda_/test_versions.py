"""Versions and aliases: what is published stays as it is, and an alias leads to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lambdalog.local.lambda_.aliases import choose
from tests.functions import zipped
from tests.refusals import refused
from tests.unit.local.lambda_.conftest import ARN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def says(word: str) -> bytes:
    """The zip of a function that answers with a word, its version and the ARN that it was called by."""
    code = f"def handler(event, context):\n    return ['{word}', context.function_version, context.invoked_function_arn]\n"
    return zipped(app=code)


def answer(client: Any, **params: Any) -> Any:
    """Invoke, and read the payload."""
    return json.loads(client.invoke(**params)["Payload"].read())


def test_a_version_is_a_copy_that_stays(client: Any) -> None:
    """Published, it keeps code and configuration while `$LATEST` changes; each answers under its own number."""
    client.update_function_code(FunctionName="f", ZipFile=says("one"))
    first = client.publish_version(FunctionName="f", Description="the first")
    assert (first["Version"], first["FunctionArn"], first["Description"]) == ("1", f"{ARN}:1", "the first")
    client.update_function_code(FunctionName="f", ZipFile=says("two"))
    client.update_function_configuration(FunctionName="f", Timeout=9)
    second = client.publish_version(FunctionName="f")
    assert answer(client, FunctionName="f", Qualifier="1") == ["one", "1", f"{ARN}:1"]
    assert answer(client, FunctionName=f"{ARN}:2") == ["two", "2", f"{ARN}:2"]
    assert answer(client, FunctionName="f") == ["two", "$LATEST", ARN]
    assert client.get_function_configuration(FunctionName="f", Qualifier="1")["Timeout"] == 3
    assert (second["Timeout"], second["CodeSha256"]) != (3, first["CodeSha256"])
    listed = client.list_versions_by_function(FunctionName="f")["Versions"]
    assert [found["Version"] for found in listed] == ["$LATEST", "1", "2"]
    assert listed[0]["FunctionArn"] == f"{ARN}:$LATEST"
    assert "State" not in listed[1]


def test_publishing_without_a_change_gives_the_last_version(client: Any) -> None:
    """Nothing changed: the same version, the same revision; a changed environment is a change."""
    first = client.publish_version(FunctionName="f")
    again = client.publish_version(FunctionName="f", Description="not taken over")
    assert {key: again[key] for key in again if key != "ResponseMetadata"} == {
        key: first[key] for key in first if key != "ResponseMetadata"
    }
    client.update_function_configuration(FunctionName="f", Environment={"Variables": {"MINE": "1"}})
    assert client.publish_version(FunctionName="f")["Version"] == "2"
    client.update_function_configuration(FunctionName="f", Environment={"Variables": {"MINE": "1"}})
    assert client.publish_version(FunctionName="f")["Version"] == "2"


def test_numbers_of_deleted_versions_are_not_used_again(client: Any) -> None:
    """Version 1 is deleted; the next is 2. Deleting it once more is no error."""
    client.publish_version(FunctionName="f")
    assert client.delete_function(FunctionName="f", Qualifier="1")["StatusCode"] == 204
    client.delete_function(FunctionName="f", Qualifier="1")
    assert client.publish_version(FunctionName="f")["Version"] == "2"
    assert refused(client.get_function, FunctionName="f", Qualifier="1")[0] == "ResourceNotFoundException"


def test_publishing_asks_for_the_code_that_is_there(client: Any) -> None:
    """A CodeSha256 other than `$LATEST`'s is refused with both."""
    current = client.get_function_configuration(FunctionName="f")["CodeSha256"]
    assert refused(client.publish_version, FunctionName="f", CodeSha256="other") == (
        "InvalidParameterValueException",
        (
            f"CodeSHA256 (other) is different from current CodeSHA256 in $LATEST ({current}). Please try again with the CodeSHA256 in "
            "$LATEST."
        ),
        400,
    )
    assert client.publish_version(FunctionName="f", CodeSha256=current)["Version"] == "1"


def test_a_function_can_be_published_as_it_is_made(make: Callable[..., Any], client: Any) -> None:
    """CreateFunction(Publish) gives version 1 with the function's own ARN, and `$LATEST` lies beside it."""
    made = make("p", Publish=True)
    assert (made["Version"], made["FunctionArn"]) == ("1", ARN.replace(":function:f", ":function:p"))
    assert client.get_function_configuration(FunctionName="p")["Version"] == "$LATEST"
    updated = client.update_function_code(FunctionName="p", ZipFile=says("x"), Publish=True)
    assert (updated["Version"], updated["FunctionArn"]) == ("2", ARN.replace(":function:f", ":function:p:2"))


def test_revisions_change_with_what_they_are_of(client: Any) -> None:
    """Each change gives a new RevisionId, and only the newest is taken."""
    revision = client.get_function_configuration(FunctionName="f")["RevisionId"]
    updated = client.update_function_configuration(FunctionName="f", Timeout=5, RevisionId=revision)
    assert updated["RevisionId"] != revision
    assert (
        refused(client.update_function_configuration, FunctionName="f", Timeout=6, RevisionId=revision)[2]
        == 412
    )
    client.publish_version(FunctionName="f", RevisionId=updated["RevisionId"])
    assert client.get_function_configuration(FunctionName="f")["RevisionId"] != updated["RevisionId"]


def test_an_alias_leads_to_its_version(client: Any) -> None:
    """The caller's ARN keeps the alias, the version is the one that it leads to; moved, it leads elsewhere."""
    client.update_function_code(FunctionName="f", ZipFile=says("one"))
    client.publish_version(FunctionName="f")
    made = client.create_alias(FunctionName="f", Name="live", FunctionVersion="1", Description="d")
    assert {key: made[key] for key in made if key not in {"RevisionId", "ResponseMetadata"}} == {
        "AliasArn": f"{ARN}:live",
        "Name": "live",
        "FunctionVersion": "1",
        "Description": "d",
    }
    response = client.invoke(FunctionName="f:live")
    assert json.loads(response["Payload"].read()) == ["one", "1", f"{ARN}:live"]
    assert response["ExecutedVersion"] == "1"
    client.update_alias(FunctionName="f", Name="live", FunctionVersion="$LATEST")
    assert answer(client, FunctionName="f", Qualifier="live")[1] == "$LATEST"
    shown = client.get_function(FunctionName="f", Qualifier="live")["Configuration"]
    assert (shown["FunctionArn"], shown["Version"]) == (f"{ARN}:live", "$LATEST")
    assert [alias["Name"] for alias in client.list_aliases(FunctionName="f")["Aliases"]] == ["live"]
    assert client.list_aliases(FunctionName="f", FunctionVersion="1")["Aliases"] == []
    client.delete_alias(FunctionName="f", Name="live")
    client.delete_alias(FunctionName="f", Name="live")
    assert refused(client.get_alias, FunctionName="f", Name="live")[2] == 404


def test_an_alias_draws_its_second_version_by_weight(client: Any) -> None:
    """random() below the weight gives the additional version, at or above it the first."""
    for word in ("one", "two"):
        client.update_function_code(FunctionName="f", ZipFile=says(word))
        client.publish_version(FunctionName="f")
    weights = {"AdditionalVersionWeights": {"2": 0.25}}
    made = client.create_alias(FunctionName="f", Name="live", FunctionVersion="1", RoutingConfig=weights)
    assert made["RoutingConfig"] == weights
    drawn = []
    for number in (0.0, 0.2499, 0.25, 0.9):
        client._random = lambda number=number: number
        drawn.append(client.invoke(FunctionName="f", Qualifier="live")["ExecutedVersion"])
    assert drawn == ["2", "2", "1", "1"]
    kept = client.update_alias(FunctionName="f", Name="live", Description="weights stay")
    assert kept["RoutingConfig"] == weights
    assert "RoutingConfig" not in client.update_alias(FunctionName="f", Name="live", RoutingConfig={})


def test_weights_hold_over_many_draws() -> None:
    """A weight of 0 is never drawn, one of 1 always."""
    never, always = {"version": "1", "weights": {"2": 0.0}}, {"version": "1", "weights": {"2": 1.0}}
    numbers = [number / 100 for number in range(100)]
    assert {choose(never, iter([number]).__next__) for number in numbers} == {"1"}
    assert {choose(always, iter([number]).__next__) for number in numbers} == {"2"}


def test_lists_come_in_pages(client: Any, make: Callable[..., Any]) -> None:
    """The paginators go through all functions, versions and aliases, whatever the page."""
    for number in range(5):
        make(f"g{number}")
        client.update_function_configuration(FunctionName="f", Timeout=number + 1)
        client.publish_version(FunctionName="f")
        client.create_alias(FunctionName="f", Name=f"a{number}", FunctionVersion="1")
    for operation, key, extra, count in (
        ("list_functions", "Functions", {}, 6),
        ("list_functions", "Functions", {"FunctionVersion": "ALL"}, 11),
        ("list_versions_by_function", "Versions", {"FunctionName": "f"}, 6),
        ("list_aliases", "Aliases", {"FunctionName": "f"}, 5),
    ):
        pages = list(client.get_paginator(operation).paginate(PaginationConfig={"PageSize": 2}, **extra))
        assert sum(len(page[key]) for page in pages) == count
        assert len(pages) == -(-count // 2)


def test_deleting_a_function_takes_all_that_is_its_own(client: Any, make: Callable[..., Any]) -> None:
    """Made again under its name, it has no versions, aliases, policies or configurations of the old one."""
    client.publish_version(FunctionName="f")
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    client.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=0)
    client.add_permission(
        FunctionName="f", StatementId="s", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
    )
    client.delete_function(FunctionName="f")
    make("f")
    assert len(client.list_versions_by_function(FunctionName="f")["Versions"]) == 1
    assert client.list_aliases(FunctionName="f")["Aliases"] == []
    assert client.list_function_event_invoke_configs(FunctionName="f")["FunctionEventInvokeConfigs"] == []
    assert refused(client.get_policy, FunctionName="f")[2] == 404
    assert client.publish_version(FunctionName="f")["Version"] == "1"


def test_functions_outlive_the_process(store_path: Path, folder: Path, client: Any, clock: Any) -> None:
    """Another cloud on the same store sees the same functions, versions, aliases."""
    from lambdalog.cloud import connect

    client.publish_version(FunctionName="f")
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    with connect(f"disk:{store_path}", clock=clock) as other:
        assert other.lambda_.get_alias(FunctionName="f", Name="live")["FunctionVersion"] == "1"


def test_a_version_of_a_folder_is_a_copy_too(client: Any, folder: Path, clock: Any) -> None:
    """The folder goes on changing, the version doesn't; published again unchanged, it is the same version."""
    (folder / "app.py").write_text("def handler(event, context):\n    return 'one'\n")
    first = client.publish_version(FunctionName="f")
    assert client.publish_version(FunctionName="f")["Version"] == "1"
    (folder / "app.py").write_text("def handler(event, context):\n    return 'two!'\n")
    clock.advance(1)
    assert answer(client, FunctionName="f") == "two!"
    assert answer(client, FunctionName="f", Qualifier="1") == "one"
    second = client.publish_version(FunctionName="f")
    assert second["Version"] == "2"
    assert second["CodeSha256"] != first["CodeSha256"]
    assert second["CodeSize"] > 0


def test_a_new_description_is_a_change(client: Any) -> None:
    """`$LATEST` described anew is published as the next version, whatever the last one was called."""
    client.publish_version(FunctionName="f", Description="the first")
    client.update_function_configuration(FunctionName="f", Description="second")
    second = client.publish_version(FunctionName="f")
    assert (second["Version"], second["Description"]) == ("2", "second")
    assert client.publish_version(FunctionName="f")["Version"] == "2"
