"""Functions as the dashboard reads and invokes them on a store, and asks AWS of throttles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from lambdalog.cli.event import command as event
from lambdalog.local.events.samples import SAMPLES
from tui.feed.functions import Alias, StoreFunctions, masked

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.cloud import Cloud
    from tests.unit.failures.conftest import Pay


def test_versions_and_aliases(cloud: Cloud, pay: Pay) -> None:
    """Each version with its configuration, without what its environment holds; aliases with the weights of both sides."""
    pay.repair()
    pay.client.publish_version(FunctionName="pay")
    pay.client.update_function_configuration(FunctionName="pay", Timeout=7)
    pay.client.publish_version(FunctionName="pay")
    pay.client.create_alias(
        FunctionName="pay",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}},
    )
    room = StoreFunctions(cloud)
    found = room.functions()
    assert [(one.name, one.version, one.group) for one in found] == [
        ("pay", version, "/aws/lambda/pay") for version in ("$LATEST", "1", "2")
    ]
    assert found[0].config["Environment"] == {"Variables": {"WORKS": "***"}}
    about = room.about("pay")
    assert about.aliases == (Alias("live", "1", (("2", 0.25),)),)
    assert about.aliases[0].sides == [("1", 0.75), ("2", 0.25)]
    assert about.reserved is None


def test_invoking(cloud: Cloud, pay: Pay) -> None:
    """The answer has the request's id, the version, and what was said; a failure is an answer too; an event is accepted."""
    room = StoreFunctions(cloud)
    failed = room.invoke("pay", "$LATEST", '{"id": "o-1"}', asynchronous=False)
    assert (failed.error, json.loads(failed.said)["errorType"]) == ("Unhandled", "Declined")
    pay.repair()
    fine = room.invoke("pay", "$LATEST", "{}", asynchronous=False)
    assert (fine.version, fine.error, fine.said) == ("$LATEST", "", '"fine"')
    queued = room.invoke("pay", "$LATEST", "{}", asynchronous=True)
    assert "worker" in queued.note
    assert len({failed.request_id, fine.request_id, queued.request_id}) == 3
    assert pay.client.events.pending() == 1


def test_samples(cloud: Cloud, pay: Pay, tmp_path: Path) -> None:
    """An empty one, the last failure's event, those beside the code, and those of `lambdalog event`."""
    pay.fail({"id": "o-1"}, {"id": "o-2"})
    (tmp_path / "pay" / "events").mkdir()
    (tmp_path / "pay" / "events" / "good.json").write_text('{"good": 1}')
    samples = {sample.name: sample.text for sample in StoreFunctions(cloud).samples("pay")}
    assert list(samples)[:3] == ["{}", "its last failure · pay-dlq", "events/good.json"]
    assert samples["its last failure · pay-dlq"] == '{"id": "o-2"}'
    assert set(samples) >= {f"lambdalog event {kind}" for kind in SAMPLES}
    for text in samples.values():
        json.loads(text)


@pytest.mark.parametrize("kind", list(SAMPLES))
def test_samples_are_those_of_the_command(kind: str) -> None:
    """A sample has the fields that `lambdalog event` prints where nothing else is asked for, and the same values but for ids and times."""
    printed = CliRunner().invoke(event, [*kind.split(), "--at", "2026-01-02T03:04:05"])
    assert printed.exit_code == 0
    made = SAMPLES[kind](1_767_323_045.0, "us-east-1", "000000000000")

    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shape(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [shape(inner) for inner in value]
        return value if not isinstance(value, str) or len(value) < 16 or value.startswith("arn:") else str

    same = shape(json.loads(printed.output))
    assert shape(made).keys() == same.keys()
    for part in ("Records", "httpMethod", "rawPath", "source", "resources"):
        assert (part in made) == (part in same)
    if "Records" in made:
        assert made["Records"][0].keys() == same["Records"][0].keys()


def test_throttles(cloud: Cloud, pay: Pay) -> None:
    """On a store: what was refused in the window, by function."""
    pay.client.put_function_concurrency(FunctionName="pay", ReservedConcurrentExecutions=0)
    for _ in range(3):
        with pytest.raises(pay.client.exceptions.TooManyRequestsException):
            pay.client.invoke(FunctionName="pay", Payload=b"{}")
    now = cloud.clock.now_ms()
    room = StoreFunctions(cloud)
    assert room.throttles(0, now + 1) == {"pay": 3}
    assert room.throttles(now + 1, now + 2) == {}


class Aws:
    """As much of a cloud on AWS as is asked for throttles: a real client, whose answers are given."""

    store = None

    def __init__(self, client: Any) -> None:
        self._client = client
        self.clock = None

    def client(self, service: str) -> Any:
        """CloudWatch's."""
        assert service == "cloudwatch"
        return self._client


def test_throttles_on_aws() -> None:
    """CloudWatch's metric of all functions in one request, over all its pages; None where that is refused."""
    import boto3
    from botocore.stub import ANY, Stubber

    client = boto3.client("cloudwatch", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    room = StoreFunctions(Aws(client))  # type: ignore[arg-type]
    query = {
        "Id": "throttles",
        "Expression": "SEARCH('{AWS/Lambda,FunctionName} MetricName=\"Throttles\"', 'Sum', 300)",
        "Label": "${PROP('Dim.FunctionName')}",
    }
    asked = {"MetricDataQueries": [query], "StartTime": ANY, "EndTime": ANY}
    with Stubber(client) as stub:
        first = {
            "MetricDataResults": [{"Id": "throttles", "Label": "pay", "Values": [2.0, 3.0]}],
            "NextToken": "n",
        }
        second = {"MetricDataResults": [{"Id": "throttles", "Label": "ship", "Values": [0.0]}]}
        stub.add_response("get_metric_data", first, asked)
        stub.add_response("get_metric_data", second, asked | {"NextToken": "n"})
        assert room.throttles(0, 1000) == {"pay": 5}
        stub.add_client_error("get_metric_data", "AccessDenied")
        assert room.throttles(0, 1000) is None
        stub.add_client_error("get_metric_data", "InternalServiceFault")
        with pytest.raises(client.exceptions.ClientError):
            room.throttles(0, 1000)


def test_masks() -> None:
    """Names of variables stay, values don't; the configuration that was given is left as it is."""
    config = {"Environment": {"Variables": {"SECRET": "x"}}, "Timeout": 3}
    assert masked(config) == {"Environment": {"Variables": {"SECRET": "***"}}, "Timeout": 3}
    assert config["Environment"] == {"Variables": {"SECRET": "x"}}
    assert masked({"Timeout": 3}) == {"Timeout": 3}
