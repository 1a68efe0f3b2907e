"""The answer for services that aren't here."""

from __future__ import annotations

import json

import pytest
from botocore.model import StructureShape
from botocore.parsers import create_parser

from lambdalog.wire.elsewhere import not_here
from lambdalog.wire.messages import Request

SIGNED = "AWS4-HMAC-SHA256 Credential=K/20260102/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


@pytest.mark.parametrize(
    ("scope", "protocol", "headers"),
    [
        ("s3", "rest-xml", {}),
        ("ec2", "ec2", {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}),
        ("iam", "query", {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}),
        ("dynamodb", "json", {"x-amz-target": "DynamoDB_20120810.ListTables"}),
        ("apigateway", "rest-json", {}),
        ("monitoring", "json", {"content-type": "application/json"}),
    ],
)
def test_a_client_reads_what_is_wrong(scope: str, protocol: str, headers: dict[str, str]) -> None:
    """By the protocol of its service, as botocore does: a code, and a text that names the service and what to do."""
    answer = not_here(Request("POST", "/", "", headers | {"authorization": SIGNED.format(scope)}))
    given = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
    error = create_parser(protocol).parse(
        given, StructureShape("Answer", {"type": "structure", "members": {}})
    )["Error"]
    assert (answer.status, error["Code"]) == (404, "NotImplemented")
    assert error["Message"].startswith(f"{scope} isn't served here")
    assert "AWS_ENDPOINT_URL_S3" in error["Message"]


def test_who_signs_nothing_gets_a_text() -> None:
    """A browser, or a look at whether anybody is there; an unsigned target is answered as its protocol is."""
    assert b"no such service here" in not_here(Request("GET", "/favicon.ico")).body
    target = not_here(Request("POST", "/", "", {"x-amz-target": "Kinesis_20131202.ListStreams"}))
    assert json.loads(target.body)["message"].startswith("this service isn't served here")
