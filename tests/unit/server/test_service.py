"""A store served: its address, its keys, and who may come in."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from lambdalog.cloud import connect
from lambdalog.errors import ConfigError, StoreLocked
from lambdalog.lineage import caller_trace
from lambdalog.server.client import served_client
from lambdalog.server.logs import told_on_stderr
from lambdalog.server.service import Service, Settings
from tests.unit.server.conftest import FREE, client, deploy, raw, refused

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud


def test_all_services_at_one_address(service: Service) -> None:
    """Also STS, which clients ask who they are."""
    client(service, "logs").create_log_group(logGroupName="/g")
    assert client(service, "logs").describe_log_groups()["logGroups"][0]["logGroupName"] == "/g"
    url = client(service, "sqs").create_queue(QueueName="q")["QueueUrl"]
    assert url == f"{service.url}/000000000000/q"
    client(service, "sqs").send_message(QueueUrl=url, MessageBody="x")
    assert client(service, "sqs").receive_message(QueueUrl=url)["Messages"][0]["Body"] == "x"
    assert client(service, "sns").create_topic(Name="t")["TopicArn"].endswith(":t")
    assert client(service, "lambda").list_functions()["Functions"] == []
    assert client(service, "sts").get_caller_identity()["Account"] == "000000000000"


@pytest.mark.parametrize(
    ("name", "operation", "codes"),
    [
        (
            "logs",
            "describe_log_groups",
            [
                "UnrecognizedClientException",
                "InvalidSignatureException",
                "MissingAuthenticationTokenException",
            ],
        ),
        (
            "sns",
            "list_topics",
            ["InvalidClientTokenId", "SignatureDoesNotMatch", "MissingAuthenticationToken"],
        ),
        (
            "lambda",
            "list_functions",
            [
                "UnrecognizedClientException",
                "InvalidSignatureException",
                "MissingAuthenticationTokenException",
            ],
        ),
    ],
)
def test_who_may_not_come_in(service: Service, name: str, operation: str, codes: list[str]) -> None:
    """An unknown key, a wrong secret, no signature: each is told in the service's own words."""
    strangers: list[dict[str, Any]] = [
        {"aws_access_key_id": "AKIAUNKNOWN"},
        {"aws_secret_access_key": "wrong"},
        {"config": Config(signature_version=UNSIGNED)},
    ]
    for code, arguments in zip(codes, strangers, strict=True):
        assert refused(getattr(client(service, name, **arguments), operation)) == code


def test_a_web_page_can_do_nothing(service: Service) -> None:
    """Foreign hosts, origins and preflights are refused, and nothing is changed."""
    target = {"X_Amz_Target": "Logs_20140328.CreateLogGroup"}
    body = b'{"logGroupName": "/evil"}'
    assert raw(service, "OPTIONS", "/", Origin="https://evil.example")[0] == 403
    pages: list[dict[str, str]] = [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
    ]
    for headers in pages:
        status, answer = raw(service, "POST", "/", body, **target, **headers)
        assert (status, json.loads(answer)["__type"]) == (400, "AccessDeniedException")
    assert client(service, "logs").describe_log_groups()["logGroups"] == []


def test_anonymous(cloud: Cloud) -> None:
    """Any signature will do, but what a page could send without being asked is refused all the same."""
    with Service(cloud, Settings(port=0, anonymous=True, threads=1)) as service:
        stranger = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
        client(service, "sns", **stranger).create_topic(Name="t")
        form = b"Action=DeleteTopic&Version=2010-03-31&TopicArn=arn:aws:sns:us-east-1:000000000000:t"
        status, answer = raw(service, "POST", "/", form, Content_Type="application/x-www-form-urlencoded")
        assert status == 403
        assert b"<Code>MissingAuthenticationToken</Code>" in answer
        assert raw(service, "GET", f"/?{form.decode()}")[0] in {403, 404}
        assert len(client(service, "sns", **stranger).list_topics()["Topics"]) == 1


def test_anonymous_is_for_loopback(cloud: Cloud) -> None:
    """Nobody opens a store to the network without keys."""
    with pytest.raises(ConfigError, match="loopback only"):
        Service(cloud, Settings(host="0.0.0.0", port=0, anonymous=True))


def test_aws_is_not_served() -> None:
    """It serves itself."""
    with connect("aws:eu-west-1") as cloud, pytest.raises(ConfigError, match="AWS serves itself"):
        Service(cloud, FREE)


def test_one_at_a_time(cloud: Cloud, store_path: Path) -> None:
    """A second is told where the first is; after it, there may be another."""
    with (
        Service(cloud, FREE) as first,
        connect(f"disk:{store_path}") as other,
        pytest.raises(StoreLocked, match=first.url),
    ):
        Service(other, FREE)
    Service(cloud, FREE).stop()


def test_keys_stay(cloud: Cloud, store_path: Path) -> None:
    """Those who were given them come in after a restart; nobody else reads them."""
    with Service(cloud, FREE) as one:
        keys = one.keys
    with Service(cloud, FREE) as two:
        assert two.keys == keys
    assert stat.S_IMODE((store_path / "endpoint-key.json").stat().st_mode) == 0o600


def test_a_port_that_is_taken(service: Service, tmp_path: Path) -> None:
    """It's said so, and the store's lock is given back."""
    port = urlsplit(service.url).port
    with connect(f"disk:{tmp_path / 'other'}") as other:
        for _ in range(2):
            with pytest.raises(OSError, match="in use"):
                Service(other, Settings(port=port or 0))


def test_queues_are_where_their_client_found_the_endpoint(service: Service) -> None:
    """Asked at another of its names, the endpoint tells queue URLs at that name: old SDKs send there."""
    port = urlsplit(service.url).port
    sqs = client(service, "sqs", endpoint_url=f"http://localhost:{port}")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    assert url == f"http://localhost:{port}/000000000000/q"
    client(service, "sqs").send_message(QueueUrl=url, MessageBody="x")
    assert sqs.list_queues()["QueueUrls"] == [url]


def test_a_command_finds_what_is_served(service: Service, store_path: Path, tmp_path: Path) -> None:
    """Another process's client of a served store asks the server; its own server it does not ask."""
    code = (
        "import lambdalog; from lambdalog.server.client import served_client\n"
        f"with lambdalog.connect({str(store_path)!r}) as cloud:\n"
        "    print(served_client(cloud, 'sqs').meta.endpoint_url)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == service.url
    with connect(f"disk:{store_path}") as same, connect(f"disk:{tmp_path / 'other'}") as other:
        assert served_client(same, "sqs") is None
        assert served_client(other, "sqs") is None
    with connect("aws:eu-west-1") as aws:
        assert served_client(aws, "sqs") is None


def test_invoke_uses_warm_environments(service: Service, store_path: Path, tmp_path: Path) -> None:
    """`lambdalog invoke` of a function of a served store runs in the server's environment, twice in the same."""
    deploy(
        client(service, "lambda"), tmp_path, "import os\ndef handler(event, context): return os.getpid()\n"
    )
    ours = json.load(client(service, "lambda").invoke(FunctionName="f", Payload=b"{}")["Payload"])
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "lambdalog", "invoke", "f", "--store", f"disk:{store_path}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == ours


def test_the_servers_log_is_lambdalogs(
    cloud: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request with --verbose, and what went wrong in any case: JSON lines on standard error, and nothing of it in answers."""

    def fails(operation: str, params: Any) -> Any:
        raise RuntimeError("at /some/path of ours")

    with told_on_stderr(verbose=True), Service(cloud, FREE) as service:
        client(service, "sns").list_topics()
        monkeypatch.setattr(cloud.client("sns"), "call", fails)
        with pytest.raises(ClientError) as raised:
            client(service, "sns").list_topics()
    assert raised.value.response["Error"]["Code"] == "InternalFailure"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert "/some/path" not in str(raised.value)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    requests = [line for line in lines if line["message"] == "request"]
    # boto3 asks once more after a 500.
    assert [(line["level"], line["status"]) for line in requests[:2]] == [("DEBUG", 200), ("DEBUG", 500)]
    failed = next(line for line in lines if line["level"] == "ERROR")
    assert failed["message"] == "a request to sns failed"
    assert "/some/path of ours" in json.dumps(failed)


def test_a_calls_trace_is_known_to_the_doubles(
    cloud: Cloud, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The header that SDKs send inside a function tells in which chain of events a call is made."""
    seen: list[str | None] = []

    def note(operation: str, params: Any) -> dict[str, Any]:
        seen.append(caller_trace())
        return {"QueueUrls": []}

    monkeypatch.setattr(cloud.client("sqs"), "call", note)
    sqs = client(service, "sqs")
    sqs.meta.events.register(
        "before-sign.sqs.*", lambda request, **_: request.headers.add_header("X-Amzn-Trace-Id", "Root=1-a")
    )
    sqs.list_queues()
    client(service, "sqs").list_queues()
    assert seen == ["Root=1-a", None]


def test_functions_find_their_own_cloud(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function's clients come to the endpoint that serves it; its own variables come first, other services stay."""
    text = (
        "import os, boto3\n"
        "def handler(event, context):\n"
        "    boto3.client('sqs').create_queue(QueueName='from-a-function')\n"
        "    return [os.environ['AWS_ENDPOINT_URL_S3'], os.environ['AWS_ENDPOINT_URL_DYNAMODB']]\n"
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://dynamodb.invalid")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://s3.invalid")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://sqs.invalid")
    service: Service = request.getfixturevalue("service")
    deploy(client(service, "lambda"), tmp_path, text)
    client(service, "lambda").update_function_configuration(
        FunctionName="f", Environment={"Variables": {"AWS_ENDPOINT_URL_S3": "http://own.invalid"}}
    )
    answer = client(service, "lambda", config=Config(read_timeout=60)).invoke(FunctionName="f")
    assert json.load(answer["Payload"]) == ["http://own.invalid", "http://dynamodb.invalid"]
    assert client(service, "sqs").list_queues()["QueueUrls"] == [
        f"{service.url}/000000000000/from-a-function"
    ]


def test_another_address_has_its_names(cloud: Cloud) -> None:
    """On every interface, keys are asked for, and only names that were allowed are answered to."""
    settings = Settings(host="0.0.0.0", port=0, hosts=("Box.example",), threads=1)
    with Service(cloud, settings) as service:
        assert service.url.startswith("http://127.0.0.1:")
        assert client(service, "sns").list_topics()["Topics"] == []
        target = {"X_Amz_Target": "Logs_20140328.DescribeLogGroups"}
        codes = {}
        for host in ("box.example", "evil.example"):
            _, answer = raw(service, "POST", "/", b"{}", Host=host, **target)
            codes[host] = json.loads(answer)["__type"]
    assert codes == {
        "box.example": "MissingAuthenticationTokenException",
        "evil.example": "AccessDeniedException",
    }
