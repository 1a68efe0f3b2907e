"""Lambda's control plane on every backend: functions, versions, aliases, layers, permissions, mappings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.lambda_.conftest import create
from tests.functions import RUNTIME, zipped
from tests.refusals import refused

if TYPE_CHECKING:
    from tests.contract.conftest import Backend

moto_deviates = pytest.mark.moto_deviates
CODE = "def handler(event, context):\n    return event\n"


@pytest.fixture
def client(backend: Backend, role: str) -> Any:
    """A Lambda with function `f`."""
    found = backend.client("lambda")
    create(found, role, CODE, Environment={"Variables": {"TABLE": "orders"}}, Tags={"team": "shop"})
    return found


def test_a_function_is_shown_as_it_was_made(client: Any) -> None:
    """Its settings and defaults, by its name and by its ARN, with and without a qualifier."""
    found = client.get_function(FunctionName="f")
    config = found["Configuration"]
    assert (config["Timeout"], config["MemorySize"], config["Version"], config["Handler"]) == (
        3,
        128,
        "$LATEST",
        "app.handler",
    )
    assert config["Environment"] == {"Variables": {"TABLE": "orders"}}
    assert found["Tags"] == {"team": "shop"}
    assert (
        client.get_function_configuration(FunctionName=config["FunctionArn"])["CodeSha256"]
        == config["CodeSha256"]
    )
    latest = client.get_function_configuration(FunctionName="f", Qualifier="$LATEST")
    assert latest["FunctionArn"] == f"{config['FunctionArn']}:$LATEST"
    assert [each["FunctionName"] for each in client.list_functions()["Functions"]] == ["f"]


@moto_deviates("moto deletes an alias with 201")
def test_statuses_are_the_models(client: Any) -> None:
    """201 for what is made, 204 for what is deleted."""
    made = client.publish_version(FunctionName="f")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    alias = client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    assert alias["ResponseMetadata"]["HTTPStatusCode"] == 201
    gone = client.delete_alias(FunctionName="f", Name="live")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_versions_are_numbered_and_stay(client: Any) -> None:
    """Published, they keep what they were; nothing changed, the last one comes back."""
    first = client.publish_version(FunctionName="f", Description="one")
    assert (first["Version"], first["Description"]) == ("1", "one")
    assert client.publish_version(FunctionName="f")["Version"] == "1"
    client.update_function_configuration(FunctionName="f", Timeout=9)
    assert client.publish_version(FunctionName="f")["Version"] == "2"
    versions = client.list_versions_by_function(FunctionName="f")["Versions"]
    assert [(found["Version"], found["Timeout"]) for found in versions] == [
        ("$LATEST", 9),
        ("1", 3),
        ("2", 9),
    ]
    assert client.get_function(FunctionName="f", Qualifier="1")["Configuration"]["Timeout"] == 3


def test_aliases_lead_to_versions(client: Any) -> None:
    """Made with a weight, moved, listed, deleted."""
    client.publish_version(FunctionName="f")
    client.update_function_configuration(FunctionName="f", Timeout=9)
    client.publish_version(FunctionName="f")
    made = client.create_alias(
        FunctionName="f",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
    )
    assert made["AliasArn"].endswith(":function:f:live")
    assert made["RoutingConfig"] == {"AdditionalVersionWeights": {"2": 0.5}}
    client.update_alias(FunctionName="f", Name="live", FunctionVersion="2", RoutingConfig={})
    assert client.get_alias(FunctionName="f", Name="live")["FunctionVersion"] == "2"
    assert [found["Name"] for found in client.list_aliases(FunctionName="f")["Aliases"]] == ["live"]
    client.delete_alias(FunctionName="f", Name="live")
    code, text, status = refused(client.get_alias, FunctionName="f", Name="live")
    assert (code, status) == ("ResourceNotFoundException", 404)
    assert text.startswith("Cannot find alias arn: ")


def test_tags_come_and_go(client: Any) -> None:
    """Added, overwritten, removed, by the function's ARN."""
    arn = client.get_function_configuration(FunctionName="f")["FunctionArn"]
    client.tag_resource(Resource=arn, Tags={"team": "store", "env": "dev"})
    client.untag_resource(Resource=arn, TagKeys=["env", "none"])
    assert client.list_tags(Resource=arn)["Tags"] == {"team": "store"}


def test_permissions_make_a_policy(client: Any) -> None:
    """A statement as Lambda writes it, until it is removed."""
    answer = client.add_permission(
        FunctionName="f",
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::bucket",
    )
    statement = json.loads(answer["Statement"])
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Resource"].endswith(":function:f")
    policy = json.loads(client.get_policy(FunctionName="f")["Policy"])
    assert [found["Sid"] for found in policy["Statement"]] == ["s3"]
    client.remove_permission(FunctionName="f", StatementId="s3")


def test_a_policy_without_statements_is_none(client: Any) -> None:
    """GetPolicy of a function that nobody was let into."""
    assert refused(client.get_policy, FunctionName="f")[::2] == ("ResourceNotFoundException", 404)


def test_layers_are_numbered(client: Any) -> None:
    """Published, listed, given to a function, deleted."""
    made = client.publish_layer_version(
        LayerName="l", Content={"ZipFile": zipped(app=CODE)}, CompatibleRuntimes=[RUNTIME]
    )
    assert made["Version"] == 1
    assert made["LayerVersionArn"].endswith(":layer:l:1")
    client.publish_layer_version(LayerName="l", Content={"ZipFile": zipped(app="x = 2")})
    assert {found["Version"] for found in client.list_layer_versions(LayerName="l")["LayerVersions"]} == {
        1,
        2,
    }
    config = client.update_function_configuration(FunctionName="f", Layers=[made["LayerVersionArn"]])
    assert [layer["Arn"] for layer in config["Layers"]] == [made["LayerVersionArn"]]
    client.delete_layer_version(LayerName="l", VersionNumber=2)
    code, _, status = refused(client.get_layer_version, LayerName="l", VersionNumber=2)
    assert (code, status) == ("ResourceNotFoundException", 404)


def test_concurrency_is_reserved(client: Any) -> None:
    """Put, got, taken back."""
    client.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=5)
    assert client.get_function_concurrency(FunctionName="f")["ReservedConcurrentExecutions"] == 5
    assert client.get_function(FunctionName="f")["Concurrency"] == {"ReservedConcurrentExecutions": 5}
    client.delete_function_concurrency(FunctionName="f")
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName="f")


@moto_deviates("moto keeps the configurations of `$LATEST` alone")
def test_event_configurations_are_a_qualifiers(client: Any) -> None:
    """Each qualifier has its own; update merges, put overwrites."""
    client.publish_version(FunctionName="f")
    client.put_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=1)
    client.put_function_event_invoke_config(FunctionName="f", Qualifier="1", MaximumRetryAttempts=0)
    merged = client.update_function_event_invoke_config(FunctionName="f", MaximumEventAgeInSeconds=60)
    assert (merged["MaximumRetryAttempts"], merged["MaximumEventAgeInSeconds"]) == (1, 60)
    listed = client.list_function_event_invoke_configs(FunctionName="f")["FunctionEventInvokeConfigs"]
    assert [found["FunctionArn"].rpartition(":")[2] for found in listed] == ["$LATEST", "1"]
    client.delete_function_event_invoke_config(FunctionName="f", Qualifier="1")
    with pytest.raises(
        client.exceptions.ResourceNotFoundException, match="doesn't have an EventInvokeConfig"
    ):
        client.get_function_event_invoke_config(FunctionName="f", Qualifier="1")


def test_a_queues_mapping_is_kept(client: Any, backend: Backend) -> None:
    """Made, changed, listed, deleted."""
    sqs = backend.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    made = client.create_event_source_mapping(EventSourceArn=arn, FunctionName="f", BatchSize=5)
    assert (made["BatchSize"], made["EventSourceArn"]) == (5, arn)
    assert made["FunctionArn"].endswith(":function:f")
    client.update_event_source_mapping(UUID=made["UUID"], BatchSize=7, Enabled=False)
    found = client.get_event_source_mapping(UUID=made["UUID"])
    assert (found["BatchSize"], found["State"]) == (7, "Disabled")
    assert len(client.list_event_source_mappings(FunctionName="f")["EventSourceMappings"]) == 1
    client.delete_event_source_mapping(UUID=made["UUID"])
    assert client.list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"] == []


@moto_deviates("moto takes any revision")
def test_an_old_revision_is_refused(client: Any) -> None:
    """With 412, and the members that boto3 shows beside Error."""
    with pytest.raises(client.exceptions.PreconditionFailedException) as info:
        client.update_function_configuration(FunctionName="f", Timeout=5, RevisionId="old")
    response = info.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert (response["Type"], response["message"]) == ("User", response["Error"]["Message"])
    assert client.get_function_configuration(FunctionName="f")["Timeout"] == 3


@moto_deviates("moto reads no account settings")
def test_the_account_has_limits(client: Any) -> None:
    """And counts what is used of them."""
    found = client.get_account_settings()
    assert (
        found["AccountLimit"]["ConcurrentExecutions"]
        >= found["AccountLimit"]["UnreservedConcurrentExecutions"]
        > 0
    )
    assert found["AccountUsage"]["FunctionCount"] == 1


def test_pages_are_gone_through(client: Any, role: str) -> None:
    """Whatever their size, a paginator finds all functions."""
    for name in ("a", "b", "c"):
        create(client, role, CODE, name)
    pages = client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    assert sorted(found["FunctionName"] for page in pages for found in page["Functions"]) == [
        "a",
        "b",
        "c",
        "f",
    ]


def test_a_waiter_sees_an_active_function(client: Any) -> None:
    """function_active_v2 and function_updated end."""
    client.get_waiter("function_active_v2").wait(FunctionName="f")
    client.get_waiter("function_updated").wait(FunctionName="f")


def test_a_function_is_deleted_once(client: Any) -> None:
    """Then it isn't there, with Lambda's words."""
    assert client.delete_function(FunctionName="f")["ResponseMetadata"]["HTTPStatusCode"] == 204
    code, text, status = refused(client.get_function, FunctionName="f")
    assert (code, status) == ("ResourceNotFoundException", 404)
    assert text.startswith("Function not found: arn:aws:lambda:us-east-1:")


def test_code_is_replaced(client: Any) -> None:
    """Its digest changes, and so does the revision."""
    before = client.get_function_configuration(FunctionName="f")
    after = client.update_function_code(FunctionName="f", ZipFile=zipped(app="x = 1"))
    assert after["CodeSha256"] != before["CodeSha256"]
    assert client.get_function_configuration(FunctionName="f")["CodeSha256"] == after["CodeSha256"]


def test_an_event_configuration_is_kept(client: Any) -> None:
    """As it was put."""
    client.put_function_event_invoke_config(
        FunctionName="f", MaximumRetryAttempts=0, MaximumEventAgeInSeconds=60
    )
    found = client.get_function_event_invoke_config(FunctionName="f")
    assert (found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]) == (0, 60)


@moto_deviates("moto doesn't have GetLayerVersionByArn")
def test_a_layers_version_is_shown(client: Any) -> None:
    """By name and number, by its ARN, and as the layer's last."""
    made = client.publish_layer_version(
        LayerName="l", Description="one", Content={"ZipFile": zipped(app=CODE)}
    )
    found = client.get_layer_version(LayerName="l", VersionNumber=1)
    assert (found["LayerVersionArn"], found["Description"]) == (made["LayerVersionArn"], "one")
    assert found["Content"]["CodeSha256"] == made["Content"]["CodeSha256"]
    by_arn = client.get_layer_version_by_arn(Arn=made["LayerVersionArn"])
    assert by_arn["Content"]["CodeSha256"] == made["Content"]["CodeSha256"]
    (layer,) = client.list_layers()["Layers"]
    assert (layer["LayerName"], layer["LatestMatchingVersion"]["Version"]) == ("l", 1)


@moto_deviates("moto has no recursion detection")
def test_recursion_is_ended_unless_allowed(client: Any) -> None:
    """Terminate is the default."""
    assert client.get_function_recursion_config(FunctionName="f")["RecursiveLoop"] == "Terminate"
    client.put_function_recursion_config(FunctionName="f", RecursiveLoop="Allow")
    assert client.get_function_recursion_config(FunctionName="f")["RecursiveLoop"] == "Allow"
