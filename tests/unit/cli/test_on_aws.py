"""The commands on AWS: what goes wrong there is told in a line that says what to do, and nothing is asked for twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    TokenRetrievalError,
)
from botocore.httpsession import URLLib3Session
from moto import mock_aws

from lambdalog.cli.errors import explain

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Call = Callable[..., subprocess.CompletedProcess[str]]

AWS = ("--store", "aws:us-east-1")


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


def refusal(code: str, message: str, status: int = 400) -> ClientError:
    """An error as botocore raises it."""
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "FilterLogEvents")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            refusal("ThrottlingException", "Rate exceeded"),
            (
                "Rate exceeded (ThrottlingException); the account's quota is used up for now: ask for less at once, "
                "or again in a while"
            ),
        ),
        (
            refusal("ExpiredTokenException", "The security token included in the request is expired"),
            (
                "The security token included in the request is expired (ExpiredTokenException); sign in again "
                "(`aws sso login`), or renew the credentials"
            ),
        ),
        (
            refusal("UnrecognizedClientException", "The security token included in the request is invalid."),
            (
                "The security token included in the request is invalid. (UnrecognizedClientException); "
                "`aws sts get-caller-identity` says whose credentials these are; this machine's clock must be right, too"
            ),
        ),
        (
            refusal("AccessDeniedException", "User: u is not authorized to perform: logs:FilterLogEvents"),
            "User: u is not authorized to perform: logs:FilterLogEvents (AccessDeniedException)",
        ),
        (
            refusal("503", "Service Unavailable", 503),
            "AWS answered FilterLogEvents with status 503, also when it was asked again; try again later",
        ),
        (
            refusal("InternalFailure", "An internal error occurred", 500),
            "An internal error occurred (InternalFailure)",
        ),
        (
            EndpointConnectionError(endpoint_url="https://logs.nowhere.amazonaws.com/"),
            (
                'Could not connect to the endpoint URL: "https://logs.nowhere.amazonaws.com/"; check the network, the '
                "region's name and AWS_ENDPOINT_URL, or try again"
            ),
        ),
        (
            NoCredentialsError(),
            "Unable to locate credentials; see `aws configure`, or set AWS_PROFILE",
        ),
        (
            TokenRetrievalError(provider="sso", error_msg="Token has expired and refresh failed"),
            (
                "Error when retrieving token from sso: Token has expired and refresh failed; sign in again "
                "(`aws sso login`), or renew the credentials"
            ),
        ),
    ],
)
def test_an_error_of_aws_says_what_to_do(error: Exception, told: str) -> None:
    """What AWS or botocore says, and the next step of whoever is on call."""
    assert explain(error) == told


def test_what_makes_no_client_is_said(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """No region, an unknown profile, an endpoint that is no URL: each in a line, without a traceback."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)
    done = call("group", "list", "--store", "aws")
    assert (done.returncode, done.stderr) == (
        1,
        "lambdalog: no region is set for AWS: name one as aws:REGION, or set AWS_REGION\n",
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL", "127.0.0.1:5000")
    done = call("group", "list", *AWS)
    assert (done.returncode, done.stderr) == (
        1,
        "lambdalog: can't make a client for AWS: Invalid endpoint: 127.0.0.1:5000; see AWS_ENDPOINT_URL\n",
    )
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    done = call("group", "list", *AWS)
    assert done.returncode == 1
    assert done.stderr.endswith("(nobody) could not be found; see: aws configure list-profiles\n")


def test_a_function_that_takes_long_is_invoked_once(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that doesn't come is no reason to send the event again, in whatever way it was sent."""
    sent: list[str] = []

    def send(_: Any, request: Any) -> Any:
        sent.append(request.url)
        raise ReadTimeoutError(endpoint_url=request.url)

    monkeypatch.setattr(URLLib3Session, "send", send)
    for more in ((), ("--async",)):
        sent.clear()
        done = call("invoke", "orders", *more, *AWS)
        assert (done.returncode, len(sent)) == (1, 1)
        assert done.stderr.startswith("lambdalog: Read timeout on endpoint URL")
    done = call("invoke", "orders", "--async", "--wait", *AWS)
    assert done.returncode == 2
    assert "--wait is for a store on disk" in done.stderr


def test_a_query_is_judged_by_aws(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that are not evaluated on disk go to AWS as they are; of groups those are listed that may be meant."""
    asked: list[tuple[str, dict[str, Any]]] = []
    answers = {
        "DescribeLogGroups": {"logGroups": [{"logGroupName": "/aws/lambda/orders"}]},
        "StartQuery": {"queryId": "q"},
        "GetQueryResults": {"status": "Complete", "results": [[{"field": "n", "value": "3"}]]},
    }

    def send(_: Any, request: Any) -> Any:
        operation, params = (
            request.headers["X-Amz-Target"].decode().partition(".")[2],
            json.loads(request.body),
        )
        asked.append((operation, params))
        nothing = params.get("logGroupNamePrefix") == "orders"
        response: Any = AWSResponse(request.url, 200, HTTPHeaders(), None)
        response._content = json.dumps({"logGroups": []} if nothing else answers[operation]).encode()
        return response

    monkeypatch.setattr(URLLib3Session, "send", send)
    done = call("query", "orders", "fields @message | pattern @message", *AWS)
    assert (done.returncode, done.stdout) == (0, "n\n3\n")
    (started,) = (params for operation, params in asked if operation == "StartQuery")
    assert started["logGroupNames"] == ["/aws/lambda/orders"]
    assert started["queryString"] == "fields @message | pattern @message"
    assert [params["logGroupNamePrefix"] for _, params in asked[:2]] == ["/aws/lambda/orders", "orders"]
    asked.clear()
    done = call("query", "SOURCE logGroups(namePrefix: ['pay']) | stats count(*)", *AWS)
    assert done.returncode == 0
    assert [operation for operation, _ in asked] == ["StartQuery", "GetQueryResults"]
    assert "logGroupNames" not in asked[0][1]


def test_a_function_is_shown_without_what_may_be_absent(call: Call) -> None:
    """LoggingConfig and EphemeralStorage are optional in AWS's answers."""
    import boto3

    with mock_aws(config={"lambda": {"use_docker": False}}):
        role = boto3.client("iam", region_name="us-east-1").create_role(
            RoleName="r", AssumeRolePolicyDocument="{}"
        )["Role"]["Arn"]
        boto3.client("lambda", region_name="us-east-1").create_function(
            FunctionName="orders",
            Runtime="python3.12",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": b"PK\x05\x06" + b"\0" * 18},
        )
        shown = call("function", "show", "orders", *AWS)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "handler" in shown.stdout
        assert call("function", "cost", *AWS).returncode == 0


def test_what_was_deleted_since_it_was_listed_hides_nothing(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS lists a deleted queue for up to a minute: queues and topics that are gone are left out."""
    import boto3

    with mock_aws():
        sqs: Any = boto3.client("sqs", region_name="us-east-1")
        sns: Any = boto3.client("sns", region_name="us-east-1")
        url, _ = (sqs.create_queue(QueueName=f"{name}-queue")["QueueUrl"] for name in ("gone", "there"))
        arn, _ = (sns.create_topic(Name=f"{name}-topic")["TopicArn"] for name in ("gone", "there"))
        plain: Any = vars(BaseClient)["_make_api_call"]

        def deleting(self: Any, operation: str, params: dict[str, Any]) -> Any:
            answer = plain(self, operation, params)
            if operation == "ListQueues":
                plain(self, "DeleteQueue", {"QueueUrl": url})
            if operation == "ListTopics":
                plain(self, "DeleteTopic", {"TopicArn": arn})
            return answer

        monkeypatch.setattr(BaseClient, "_make_api_call", deleting)
        for kind in ("queue", "topic"):
            done = call(kind, "list", *AWS)
            assert (done.returncode, done.stderr) == (0, "")
            assert f"there-{kind}" in done.stdout
            assert f"gone-{kind}" not in done.stdout
