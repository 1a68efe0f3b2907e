"""A store that is served: who comes in, what runs beside it, how it ends."""

from __future__ import annotations

import http.client
import json
import select
import socket
import stat
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lambdalog.cloud import SERVICES, connect
from lambdalog.errors import ConfigError, StoreLocked
from lambdalog.runtime.lineage import current_trace
from lambdalog.server.client import served_client
from lambdalog.server.logs import told_on_stderr
from lambdalog.server.service import Service, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lambdalog.cloud import Cloud

FREE = Settings(port=0, threads=1)


@pytest.fixture
def service(cloud: Cloud) -> Iterator[Service]:
    """A served store."""
    with Service(cloud, FREE) as served:
        yield served


def client(service: Service, name: str, **other: Any) -> Any:
    """boto3's client of an endpoint."""
    environment = service.environment
    settings = {
        "endpoint_url": environment["AWS_ENDPOINT_URL"],
        "region_name": environment["AWS_REGION"],
        "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
    } | other
    config = Config(retries={"max_attempts": 1, "mode": "standard"}).merge(other.get("config", Config()))
    return boto3.client(name, **settings | {"config": config})


def raw(service: Service, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """A request as no SDK sends it."""
    where = urlsplit(service.url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=10)
    try:
        connection.request(
            method, path, body, {name.replace("_", "-"): text for name, text in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def refused(call: Any, **arguments: Any) -> str:
    """The code that a call is refused with."""
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    return str(raised.value.response["Error"]["Code"])


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


def test_long_polls_hold_nobody_up(service: Service) -> None:
    """Many wait for messages while others are served; a message reaches one of them."""
    sqs = client(service, "sqs", config=Config(max_pool_connections=30, read_timeout=30))
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    found: list[Any] = []

    def poll() -> None:
        found.append(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=3).get("Messages"))

    pollers = [threading.Thread(target=poll) for _ in range(20)]
    for poller in pollers:
        poller.start()
    begin = time.monotonic()
    client(service, "logs").create_log_group(logGroupName="/g")
    sqs.send_message(QueueUrl=url, MessageBody="wake")
    others = time.monotonic() - begin
    for poller in pollers:
        poller.join()
    assert [messages[0]["Body"] for messages in found if messages] == ["wake"]
    assert others < time.monotonic() - begin


def test_asynchronous_events_are_invoked(service: Service, tmp_path: Path) -> None:
    """What is queued runs without another process."""
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text("def handler(event, context):\n    print('got', event['n'])\n")
    functions = client(service, "lambda")
    functions.create_function(
        FunctionName="f",
        Runtime="python3.11",
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/r",
        Code={"S3Bucket": "local-folder", "S3Key": str(code)},
    )
    functions.invoke(FunctionName="f", InvocationType="Event", Payload=b'{"n": 7}')
    logs = client(service, "logs")
    for _ in range(500):
        try:
            events = logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern="got")["events"]
        except logs.exceptions.ResourceNotFoundException:
            events = []
        if events:
            break
        time.sleep(0.02)
    assert events[0]["message"] == "got 7"


def test_a_stop_ends_long_polls_at_once(service: Service) -> None:
    """Whoever waits for messages gets the answer that there are none, not a broken connection."""
    sqs = client(service, "sqs", config=Config(read_timeout=40))
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    answers: list[Any] = []
    polling = threading.Thread(
        target=lambda: answers.append(sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20))
    )
    begin = time.monotonic()
    polling.start()
    while not service.answering:
        time.sleep(0.005)
    assert service.stop()
    polling.join()
    assert "Messages" not in answers[0]
    assert time.monotonic() - begin < 19


def test_a_stop_gives_invocations_their_time(service: Service, tmp_path: Path, store_path: Path) -> None:
    """A running function is answered; an event that waits still waits afterwards."""
    gate = tmp_path / "gate"
    deploy(client(service, "lambda"), tmp_path, WAITS.format(gate=str(gate)))
    functions = client(service, "lambda", config=Config(read_timeout=60))
    answers: list[Any] = []
    asking = threading.Thread(
        target=lambda: answers.append(functions.invoke(FunctionName="f", Payload=b"{}")["Payload"].read())
    )
    asking.start()
    while not gate.with_suffix(".begun").exists():
        time.sleep(0.005)
    stopped: list[bool] = []
    stopping = threading.Thread(target=lambda: stopped.append(service.stop()))
    stopping.start()
    gate.touch()
    asking.join()
    stopping.join()
    assert (answers, stopped) == ([b'"went on"'], [True])


def test_a_stop_leaves_queued_what_is_queued(cloud: Cloud, tmp_path: Path) -> None:
    """The event that is being tried is finished; the one behind it is tried once the store is served again."""
    gate = tmp_path / "gate"
    with Service(cloud, FREE) as service:
        functions = client(service, "lambda")
        deploy(functions, tmp_path, WAITS.format(gate=str(gate)))
        for _ in range(2):
            functions.invoke(FunctionName="f", InvocationType="Event", Payload=b"{}")
        while not gate.with_suffix(".begun").exists():
            time.sleep(0.005)
        stopping = threading.Thread(target=service.stop)
        stopping.start()
        while not service._stop.is_set():
            time.sleep(0.005)
        gate.touch()
        stopping.join()
    events = cloud.client("lambda").events
    found = cloud.logs.filter_log_events(logGroupName="/aws/lambda/f", filterPattern='"END RequestId"')[
        "events"
    ]
    assert (events.pending(), len(found)) == (1, 1)
    with Service(cloud, FREE):
        while events.pending():
            time.sleep(0.01)


def test_a_stop_can_be_hurried(service: Service, tmp_path: Path) -> None:
    """What would not end is cut off, and that is told."""
    gate = tmp_path / "gate"
    deploy(client(service, "lambda"), tmp_path, WAITS.format(gate=str(gate)))
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            client(service, "lambda").invoke(FunctionName="f", Payload=b"{}")
        except BotoCoreError as error:
            errors.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    while not gate.with_suffix(".begun").exists():
        time.sleep(0.005)
    service.hurry()
    assert service.stop() is False
    asking.join()
    assert len(errors) == 1
    gate.touch()


WAITS = """
import pathlib, time
def handler(event, context):
    gate = pathlib.Path({gate!r})
    gate.with_suffix(".begun").touch()
    while not gate.exists():
        time.sleep(0.01)
    return "went on"
"""


def deploy(functions: Any, folder: Path, text: str) -> None:
    """A function f of one file, run where it lies."""
    code = folder / "code"
    code.mkdir()
    (code / "app.py").write_text(text)
    functions.create_function(
        FunctionName="f",
        Runtime="python3.11",
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/r",
        Timeout=60,
        Code={"S3Bucket": "local-folder", "S3Key": str(code)},
    )


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
        seen.append(current_trace.get())
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


def poll(service: Service, url: str, seconds: int) -> socket.socket:
    """A long poll as a socket of its own; what comes back can be read from it."""
    body = json.dumps({"QueueUrl": url, "WaitTimeSeconds": seconds}).encode()
    head = (
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n"
        f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    peer = socket.create_connection(("127.0.0.1", urlsplit(service.url).port or 0))
    peer.sendall(head.encode() + body)
    return peer


def test_idle_long_polls_cost_nearly_nothing(cloud: Cloud) -> None:
    """200 of them: a thread each, none of which does anything; one message wakes one of them, and a stop all."""
    with ExitStack() as stack:
        service = stack.enter_context(Service(cloud, Settings(port=0, anonymous=True, threads=1)))
        url = cloud.sqs.create_queue(QueueName="q")["QueueUrl"]
        threads = threading.active_count()
        peers = [stack.enter_context(poll(service, url, 20)) for _ in range(200)]
        while service.answering < 200:
            time.sleep(0.01)
        begin, used = time.monotonic(), time.process_time()
        while time.monotonic() < begin + 1:
            time.sleep(0.1)
        # Threads that look now and then, twenty times a second say, would take more than all of a core.
        assert time.process_time() - used < 0.5
        assert threading.active_count() <= threads + 200 + 1  # what watches the database
        cloud.sqs.send_message(QueueUrl=url, MessageBody="wake")
        readable, _, _ = select.select(peers, [], [], 20)
        assert b'"wake"' in readable[0].recv(65536)
        assert service.stop()
        answers = [peer.recv(65536) for peer in peers if peer is not readable[0]]
    assert all(answer.startswith(b"HTTP/1.1 200") and b"Messages" not in answer for answer in answers)


def test_invocations_and_live_tails_hold_nobody_up(service: Service, tmp_path: Path) -> None:
    """While both go on others are answered; a stop ends the tail, and gives the invocation its time."""
    gate = tmp_path / "gate"
    deploy(client(service, "lambda"), tmp_path, WAITS.format(gate=str(gate)))
    logs = client(service, "logs", config=Config(inject_host_prefix=False, read_timeout=60))
    logs.create_log_group(logGroupName="/g")
    group = logs.describe_log_groups(logGroupNamePrefix="/g")["logGroups"][0]["logGroupArn"]
    updates: list[Any] = []
    begun = threading.Event()

    def tail() -> None:
        for update in logs.start_live_tail(logGroupIdentifiers=[group])["responseStream"]:
            updates.append(update)
            begun.set()

    functions = client(service, "lambda", config=Config(read_timeout=60))
    going_on = [
        threading.Thread(target=tail),
        threading.Thread(target=functions.invoke, kwargs={"FunctionName": "f"}),
    ]
    for thread in going_on:
        thread.start()
    assert begun.wait(60)
    while not gate.with_suffix(".begun").exists():
        time.sleep(0.005)
    assert client(service, "sns").list_topics()["Topics"] == []
    assert all(thread.is_alive() for thread in going_on)
    gate.touch()
    assert service.stop()
    for thread in going_on:
        thread.join()
    assert "sessionStart" in updates[0]


def test_what_runs_beside_the_endpoint(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread for each loop that a service has, for asynchronous events and for upkeep; none outlives a stop."""
    wanted = {name for service in SERVICES for name, _ in cloud.client(service).background()}
    assert {"moves", "topics", "subscriptions", "metrics", "event-sources", "triggers"} <= wanted
    kept: list[Any] = []
    done = threading.Event()

    def keep(store: Any, *, everything: bool) -> None:
        kept.append((store, everything))
        done.set()

    monkeypatch.setattr("lambdalog.server.service.UPKEEP_SECONDS", 0.01)
    monkeypatch.setattr("lambdalog.store.maintenance.maintain", keep)
    with Service(cloud, Settings(port=0, threads=2)) as service:
        running = {thread.name.removeprefix("lambdalog-"): thread for thread in service._threads}
        assert wanted | {"events-0", "events-1", "upkeep"} == running.keys()
        assert all(thread.is_alive() for thread in running.values())
        assert done.wait(30)
    assert kept[0] == (cloud.store, False)
    assert not any(thread.is_alive() for thread in running.values())


def test_what_fails_beside_the_endpoint_is_begun_again(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One bad moment ends no delivery for good; it is logged."""
    again = threading.Event()
    calls: list[int] = []

    def work(stop: threading.Event) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("disk full")
        again.set()
        stop.wait()

    monkeypatch.setattr(cloud.client("sns"), "background", lambda: [("topics", work)])
    with caplog.at_level("ERROR", "lambdalog"), Service(cloud, FREE):
        assert again.wait(30)
    assert "topics failed; begun again in a second" in caplog.text


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
