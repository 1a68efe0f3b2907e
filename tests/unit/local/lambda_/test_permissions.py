"""Resource policies: statements as Lambda writes them, and whom they let in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdalog.local.lambda_.policies import allows, arn_like, statement
from tests.unit.local.lambda_.conftest import ARN

BUCKET = "arn:aws:s3:::bucket"
ACCOUNT = "000000000000"


def permit(client: Any, sid: str = "s", **params: Any) -> Any:
    """Add a statement that lets S3 invoke `f`, and read what came back."""
    given = {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "StatementId": sid}
    return json.loads(client.add_permission(FunctionName="f", **given | params)["Statement"])


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (
            {"SourceArn": BUCKET},
            {
                "Principal": {"Service": "s3.amazonaws.com"},
                "Condition": {"ArnLike": {"AWS:SourceArn": BUCKET}},
            },
        ),
        ({"Principal": "*"}, {"Principal": "*"}),
        ({"Principal": ACCOUNT}, {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}),
        (
            {"Principal": "arn:aws:iam::000000000000:user/u", "SourceAccount": ACCOUNT},
            {
                "Principal": {"AWS": "arn:aws:iam::000000000000:user/u"},
                "Condition": {"StringEquals": {"AWS:SourceAccount": ACCOUNT}},
            },
        ),
        (
            {"Principal": "*", "EventSourceToken": "amzn1.ask.skill.x"},
            {
                "Principal": "*",
                "Condition": {"StringEquals": {"lambda:EventSourceToken": "amzn1.ask.skill.x"}},
            },
        ),
        (
            {
                "Principal": "*",
                "SourceArn": BUCKET,
                "SourceAccount": ACCOUNT,
                "PrincipalOrgID": "o-1234567890",
            },
            {
                "Principal": "*",
                "Condition": {
                    "StringEquals": {"AWS:SourceAccount": ACCOUNT, "aws:PrincipalOrgID": "o-1234567890"},
                    "ArnLike": {"AWS:SourceArn": BUCKET},
                },
            },
        ),
    ],
)
def test_statements_are_written_as_lambda_writes_them(
    client: Any, params: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Principal and conditions by the parameters; action, effect and resource always."""
    always = {"Sid": "s", "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": ARN}
    assert permit(client, **params) == always | expected


def test_policies_belong_to_the_function_a_version_or_an_alias(client: Any) -> None:
    """Each has its own; a new version has none; the last statement removed, the policy is gone."""
    client.publish_version(FunctionName="f")
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    permit(client, "one")
    assert permit(client, "two", Qualifier="1")["Resource"] == f"{ARN}:1"
    assert permit(client, "three", Qualifier="live")["Resource"] == f"{ARN}:live"
    document = json.loads(client.get_policy(FunctionName="f")["Policy"])
    assert list(document) == ["Version", "Id", "Statement"]
    assert (document["Version"], document["Id"]) == ("2012-10-17", "default")
    for qualifier, sid in (("1", "two"), ("live", "three")):
        policy = json.loads(client.get_policy(FunctionName="f", Qualifier=qualifier)["Policy"])
        assert [found["Sid"] for found in policy["Statement"]] == [sid]
    client.remove_permission(FunctionName="f", StatementId="two", Qualifier="1")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_policy(FunctionName="f", Qualifier="1")


def test_a_functions_revision_is_its_policys(client: Any) -> None:
    """Adding a statement gives the function a new revision, which GetPolicy shows, and which is asked for."""
    before = client.get_function_configuration(FunctionName="f")["RevisionId"]
    permit(client, RevisionId=before)
    shown = client.get_policy(FunctionName="f")["RevisionId"]
    assert shown == client.get_function_configuration(FunctionName="f")["RevisionId"] != before
    client.remove_permission(FunctionName="f", StatementId="s", RevisionId=shown)


@pytest.mark.parametrize(
    ("params", "service", "source", "allowed"),
    [
        ({"Principal": "s3.amazonaws.com"}, "s3.amazonaws.com", BUCKET, True),
        ({"Principal": "s3.amazonaws.com"}, "sns.amazonaws.com", BUCKET, False),
        (
            {"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::buck*"},
            "s3.amazonaws.com",
            BUCKET,
            True,
        ),
        (
            {"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::other"},
            "s3.amazonaws.com",
            BUCKET,
            False,
        ),
        ({"Principal": "s3.amazonaws.com", "SourceAccount": ACCOUNT}, "s3.amazonaws.com", BUCKET, True),
        ({"Principal": "s3.amazonaws.com", "SourceAccount": "1" * 12}, "s3.amazonaws.com", BUCKET, False),
        ({"Principal": "*"}, "events.amazonaws.com", BUCKET, True),
        ({"Principal": "*", "PrincipalOrgID": "o-1234567890"}, "events.amazonaws.com", BUCKET, False),
        ({"Principal": "*", "Action": "lambda:GetFunction"}, "events.amazonaws.com", BUCKET, False),
        ({"Principal": "*", "Action": "lambda:*"}, "events.amazonaws.com", BUCKET, True),
        ({"Principal": ACCOUNT}, "s3.amazonaws.com", BUCKET, False),
    ],
)
def test_a_source_is_let_in_by_a_statement_that_means_it(
    params: dict[str, Any], service: str, source: str, allowed: bool
) -> None:
    """Service, action, source and account must all be the statement's."""
    given = {"StatementId": "s", "Action": "lambda:InvokeFunction"} | params
    assert allows([statement(given, ARN)], service, source, ACCOUNT) is allowed
    assert not allows([], service, source, ACCOUNT)


def test_arns_are_like_a_pattern_part_by_part() -> None:
    """A star doesn't reach over a colon of the first five parts, and brackets are themselves."""
    rule = "arn:aws:events:us-east-1:000000000000:rule/r"
    assert arn_like(rule, "arn:aws:events:*:*:rule/*")
    assert not arn_like(rule, "arn:aws:*:rule/r")
    assert not arn_like(rule, "arn:*")
    assert not arn_like("arn:aws:s3:::b", "arn:aws:s3:::[ab]")
    assert not arn_like("no arn", "*")


def test_a_function_says_whom_it_lets_in(client: Any) -> None:
    """By its qualifier: the function's policy is not its alias's."""
    client.publish_version(FunctionName="f")
    client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    permit(client)
    assert client.may_invoke("f", None, "s3.amazonaws.com", BUCKET)
    assert client.may_invoke("f", "$LATEST", "s3.amazonaws.com", BUCKET)
    assert not client.may_invoke("f", "live", "s3.amazonaws.com", BUCKET)
    assert not client.may_invoke("none", None, "s3.amazonaws.com", BUCKET)
