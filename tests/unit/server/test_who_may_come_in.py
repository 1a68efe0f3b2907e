"""Who may come in, clause by clause, over a socket: signatures, pages, sizes, names, and what an answer tells."""

from __future__ import annotations

import gzip
import http.client
import io
import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

import lambdalog
from lambdalog.server.endpoint import Door, Endpoint, body_max
from lambdalog.server.http import HttpServer
from lambdalog.server.service import Service, Settings
from lambdalog.wire.bodies import BODY_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.cloud import Cloud

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LIST_TOPICS = urlencode({"Action": "ListTopics", "Version": "2010-03-31"})


@pytest.fixture
def service(cloud: Cloud) -> Iterator[Service]:
    """A served store."""
    with Service(cloud, Settings(port=0, threads=1)) as served:
        yield served


class Answer(NamedTuple):
    """A response: status, lower-case headers, body."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def code(self) -> str:
        """The error's code, wherever the protocol has it."""
        if "x-amzn-errortype" in self.headers:
            return self.headers["x-amzn-errortype"]
        if "xml" in self.headers["content-type"]:
            return self.body.partition("<Code>")[2].partition("<")[0]
        return str(json.loads(self.body)["__type"]).rpartition("#")[2]


def ask(url: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    """A request as no SDK sends it."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        found = connection.getresponse()
        known = {name.lower(): value for name, value in found.getheaders()}
        return Answer(found.status, known, found.read().decode())
    finally:
        connection.close()


def signed(
    service: Service,
    name: str,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    secret: str | None = None,
    presigned: int | None = None,
    **headers: str,
) -> tuple[str, dict[str, str]]:
    """Path and headers of a request that is signed with the store's keys, or with another secret."""
    request = AWSRequest(
        method, f"{service.url}{path}", {k.replace("_", "-"): v for k, v in headers.items()}, body
    )
    credentials = Credentials(service.keys.access_key, secret or service.keys.secret_key)
    auth = (
        SigV4Auth(credentials, name, "us-east-1")
        if presigned is None
        else SigV4QueryAuth(credentials, name, "us-east-1", expires=presigned)
    )
    auth.add_auth(request)
    return str(request.url).removeprefix(service.url), {k: str(v) for k, v in request.headers.items()}


def test_a_presigned_address_is_let_in(service: Service) -> None:
    """Until it expires, and only for what it was made for."""
    path, _ = signed(service, "sns", "GET", f"/?{LIST_TOPICS}", presigned=60)
    assert ask(service.url, "GET", path).status == 200
    other = ask(service.url, "GET", path.replace("ListTopics", "ListSubscriptions"))
    assert (other.status, other.code) == (403, "SignatureDoesNotMatch")
    forever = ask(service.url, "GET", path.replace("X-Amz-Expires=60", "X-Amz-Expires=604801"))
    assert (forever.status, forever.code) == (400, "IncompleteSignature")
    path, _ = signed(service, "sns", "GET", f"/?{LIST_TOPICS}", presigned=60, secret="another")
    assert ask(service.url, "GET", path).code == "SignatureDoesNotMatch"


def test_a_form_needs_a_valid_signature(service: Service) -> None:
    """Any page can send a form; one without a signature, or with a made-up one, creates nothing."""
    body = urlencode({"Action": "CreateTopic", "Version": "2010-03-31", "Name": "evil"}).encode()
    assert ask(service.url, "POST", "/", body, FORM).code == "MissingAuthenticationToken"
    _, headers = signed(
        service, "sns", "POST", "/", body, secret="guessed", Content_Type=FORM["Content-Type"]
    )
    assert ask(service.url, "POST", "/", body, headers).code == "SignatureDoesNotMatch"
    _, headers = signed(service, "sns", "POST", "/", body, Content_Type=FORM["Content-Type"])
    page = {**headers, "Origin": "https://evil.example"}
    assert ask(service.url, "POST", "/", body, page).code == "AccessDenied"
    _, headers = signed(service, "sns", "POST", "/", LIST_TOPICS.encode(), Content_Type=FORM["Content-Type"])
    assert "evil" not in ask(service.url, "POST", "/", LIST_TOPICS.encode(), headers).body


HEADS: dict[str, tuple[str, dict[str, str]]] = {
    "logs": ("/", {"X-Amz-Target": "Logs_20140328.PutLogEvents"}),
    "sqs": ("/", {"X-Amz-Target": "AmazonSQS.SendMessage"}),
    "sns": ("/", {"Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/sns/aws4_request"}),
    "sts": ("/", {"Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/sts/aws4_request"}),
    "lambda": ("/2015-03-31/functions", {}),
}


@pytest.mark.parametrize("name", HEADS)
def test_bodies_are_bounded_by_service(service: Service, name: str) -> None:
    """What is longer isn't even read, and is refused in the service's shape; what isn't, is asked for its signature."""
    path, head = HEADS[name]
    where = urlsplit(service.url)
    for length, status in ((BODY_MAX[name] + 1, 413), (0, None)):
        connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)
        connection.putrequest("POST", path)
        for key, value in {**head, "Content-Length": str(length)}.items():
            connection.putheader(key, value)
        connection.endheaders()
        found = connection.getresponse()
        answer = Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read().decode())
        connection.close()
        if status is not None:
            assert (answer.status, answer.code) == (413, "RequestEntityTooLargeException")
        else:
            assert "Signature" in answer.code or "AuthenticationToken" in answer.code


@pytest.mark.parametrize("name", ["logs", "sns"])
def test_a_small_body_that_would_be_huge(service: Service, name: str) -> None:
    """It is unpacked no further than the service takes, and refused as too long."""
    bomb = gzip.compress(b" " * (BODY_MAX[name] + 1))
    assert len(bomb) < BODY_MAX[name] / 100
    path, head = HEADS[name]
    fields: Any = {k.replace("-", "_"): v for k, v in head.items() if k != "Authorization"}
    path, headers = signed(service, name, "POST", path, bomb, Content_Encoding="gzip", **fields)
    assert ask(service.url, "POST", path, bomb, headers).status == 413


def test_no_xml_is_parsed() -> None:
    """There is no entity to expand: requests are forms, JSON and paths, and no module has a parser of XML."""
    root = Path(str(lambdalog.__file__)).parent
    imported = re.compile(r"\s*(?:from|import) +((?:xml|lxml|defusedxml|pyexpat)\b[\w.]*)")
    for path in root.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if (found := imported.match(line)) is not None:
                assert found[1] == "xml.sax.saxutils", path


REQUESTS: list[tuple[str, str, dict[str, str], bytes]] = [
    ("POST", "/", {"X-Amz-Target": "Logs_20140328.DescribeLogGroups"}, b"{}"),
    ("POST", "/", {"X-Amz-Target": "AmazonSQS.ListQueues"}, b"{}"),
    ("POST", "/", {"Authorization": "AWS4-HMAC-SHA256", **FORM}, LIST_TOPICS.encode()),
    ("GET", "/2015-03-31/functions/", {"Authorization": "AWS4-HMAC-SHA256"}, b""),
]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body"), REQUESTS, ids=["logs", "sqs", "sns", "lambda"]
)
def test_a_failure_of_ours_tells_nothing(
    method: str, path: str, headers: dict[str, str], body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """It is a 500 of the service's shape; where and why is for our own log alone."""

    def fail(*_: Any) -> dict[str, Any]:
        raise PermissionError(13, "Permission denied", "/home/me/.lambdalog/queues.sqlite")

    endpoint = Endpoint(fail, Door(None))
    server = HttpServer(("127.0.0.1", 0), endpoint.answer, refuse=endpoint.refuse, body_max=body_max)
    server.start()
    try:
        answer = ask(f"http://127.0.0.1:{server.port}", method, path, body, headers)
    finally:
        server.stop(5)
    assert (answer.status, answer.code) == (500, "InternalFailure")
    assert "lambdalog" not in answer.body
    assert "Permission" not in answer.body
    assert "queues.sqlite" in caplog.text


def test_a_store_that_fails_tells_no_path(
    service: Service, store_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """That it can't be written to is told without where it lies; our own log has the path."""
    config = Config(retries={"total_max_attempts": 1})
    session = boto3.Session(*service.keys, region_name="us-east-1")
    logs = session.client("logs", endpoint_url=service.url, config=config)
    logs.create_log_group(logGroupName="g")
    shutil.rmtree(store_path / "logs")
    (store_path / "logs").write_bytes(b"")
    with pytest.raises(ClientError) as raised:
        logs.create_log_group(logGroupName="h")
    assert raised.value.response["Error"]["Code"] == "ServiceUnavailableException"
    assert raised.value.response["Error"]["Message"].startswith("can't write to the store at …/logs/h: ")
    assert f"can't write to the store at {store_path}/logs/h" in caplog.text


NAMES = [
    "../../evil",
    "..",
    "/etc/evil",
    "a/../../b",
    "evil\0",
    "CON",
    "x" * 300,
    "~",
    "$(touch evil)",
    "%2e%2e%2f",
    "ü/🎉",
]


def test_names_never_reach_the_file_system(service: Service, store_path: Path) -> None:
    """Whatever a group, stream, queue, topic, function or layer is called, files lie in the store, under plain names."""
    keys = service.keys
    session = boto3.Session(keys.access_key, keys.secret_key, region_name="us-east-1")
    # What boto3 itself would refuse is sent all the same.
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)

    def attempt(client: Any, operation: str, **params: Any) -> None:
        try:
            getattr(client, operation)(**params)
        except ClientError as error:
            refused.append(str(error))

    refused: list[str] = []
    outside = {path.name for path in store_path.parent.iterdir()}
    logs, sqs, sns, functions = (
        session.client(name, endpoint_url=service.url, config=config)
        for name in ("logs", "sqs", "sns", "lambda")
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): return 1")
    logs.create_log_group(logGroupName="g")
    for name in NAMES:
        attempt(logs, "create_log_group", logGroupName=name)
        attempt(logs, "create_log_stream", logGroupName="g", logStreamName=name)
        event = {"timestamp": 0, "message": name}
        attempt(logs, "put_log_events", logGroupName="g", logStreamName=name, logEvents=[event])
        attempt(sqs, "create_queue", QueueName=name)
        attempt(sns, "create_topic", Name=name)
        attempt(
            functions,
            "create_function",
            FunctionName=name,
            Role="arn:aws:iam::000000000000:role/r",
            Runtime="python3.11",
            Handler="app.handler",
            Code={"ZipFile": buffer.getvalue()},
        )
        attempt(functions, "publish_layer_version", LayerName=name, Content={"ZipFile": buffer.getvalue()})
    assert {path.name for path in store_path.parent.iterdir()} == outside
    found = [str(path.relative_to(store_path)) for path in store_path.rglob("*")]
    assert [path for path in found if not re.fullmatch(r"[A-Za-z0-9._%=+@~,$/-]+", path)] == []
    assert [path for path in found if ".." in path.split("/") or "evil\0" in path] == []
    assert max(len(Path(path).name.encode()) for path in found) <= 255
    # Some of these are names that AWS has; the others were refused as it refuses them, not by a file system.
    assert refused
    assert [text for text in refused if "InternalFailure" in text or "Errno" in text] == []
