"""The handler of standard logging, in the place of watchtower's."""

from __future__ import annotations

import inspect
import json
import logging
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from lambdalog.errors import ConfigError
from lambdalog.shipper import CloudWatchLogFormatter, CloudWatchLogHandler
from lambdalog.shipper.fleet import FLEET
from tests.unit.instrument.hostile import NoText

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.cloud import Cloud


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger of its own, whose handlers are closed afterwards."""
    logger = logging.getLogger("tests.shipped")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield logger
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def told(client: Any, group: str = "app") -> list[tuple[str, str]]:
    """(stream, message) of what a group holds, in order of time."""
    events = client.filter_log_events(logGroupName=group)["events"]
    return [(event["logStreamName"], event["message"]) for event in events]


def test_records_are_shipped_under_watchtowers_arguments(cloud: Cloud, log: logging.Logger) -> None:
    """Group and stream are made as they are named, each record is an event, and the ledger adds up."""
    handler = CloudWatchLogHandler(
        log_group_name="app",
        log_stream_name="{logger_name}",
        boto3_client=cloud.logs,
        send_interval=1,
        log_group_retention_days=7,
    )
    log.addHandler(handler)
    log.info("charged %s", "o-1")
    log.warning({"order": "o-2", "ms": 3})
    handler.flush()
    assert told(cloud.logs) == [
        ("tests.shipped", "charged o-1"),
        ("tests.shipped", '{"order": "o-2", "ms": 3}'),
    ]
    assert cloud.logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 7
    assert (handler.ledger.accepted, handler.ledger.delivered, handler.ledger.pending) == (2, 2, 0)


def test_the_same_on_moto(log: logging.Logger) -> None:
    """boto3's own client serves as well; without queues each record is there when the call returns."""
    with mock_aws():
        client = boto3.client("logs", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        log.addHandler(CloudWatchLogHandler("app", "s", use_queues=False, boto3_client=client))
        log.info("at once")
        assert told(client) == [("s", "at once")]
        for handler in list(log.handlers):
            log.removeHandler(handler)
            handler.close()


def test_close_delivers_and_takes_more(cloud: Cloud, log: logging.Logger) -> None:
    """close() sends what waits; a record after it is not lost either."""
    handler = CloudWatchLogHandler("app", "s", boto3_client=cloud.logs)
    log.addHandler(handler)
    log.info("before")
    handler.close()
    log.info("after")
    handler.flush()
    assert [message for _, message in told(cloud.logs)] == ["before", "after"]


def test_a_stream_of_an_odd_name(cloud: Cloud, log: logging.Logger) -> None:
    """What no stream may be called (`:` and `*`) is replaced, as AWS would refuse every event."""
    handler = CloudWatchLogHandler("app", "a:b*c/{logger_name}", boto3_client=cloud.logs)
    log.addHandler(handler)
    log.info("x")
    handler.flush()
    assert told(cloud.logs) == [("a-b-c/tests.shipped", "x")]


def test_a_record_that_can_not_be_formatted_is_shipped_all_the_same(
    cloud: Cloud, log: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told to logging's handleError, arrives as it is, and counts; the records around it arrive."""
    handler = CloudWatchLogHandler("app", "s", boto3_client=cloud.logs)
    wrong: list[logging.LogRecord] = []
    monkeypatch.setattr(handler, "handleError", wrong.append)
    log.addHandler(handler)
    log.info("one")
    handler.handle(logging.LogRecord("n", logging.INFO, "f.py", 1, "%d", ("no number",), None))
    handler.handle(logging.LogRecord("n", logging.INFO, "f.py", 1, NoText(), None, None))
    log.info("two")
    handler.flush()
    assert [message for _, message in told(cloud.logs)] == [
        "one",
        "%d ('no number',)",
        "<NoText at f.py:1: ValueError>",
        "two",
    ]
    assert len(wrong) == 2
    assert handler.ledger.delivered == 4


def test_filters_are_asked_and_may_change_a_record(cloud: Cloud, log: logging.Logger) -> None:
    """One that says no keeps its record back; one that says yes lets it through as it made it."""

    def judge(record: logging.LogRecord) -> bool:
        record.msg = f"judged: {record.msg}"
        return record.levelno > logging.INFO

    handler = CloudWatchLogHandler("app", "s", boto3_client=cloud.logs)
    log.addHandler(handler)
    log.info("unfiltered")
    handler.addFilter(judge)
    log.info("hidden")
    log.warning("shown")
    handler.flush()
    assert [message for _, message in told(cloud.logs)] == ["unfiltered", "judged: shown"]
    assert handler.ledger.accepted == 2


def test_the_arguments_are_watchtowers_in_their_order() -> None:
    """Whoever changes the import changes nothing else: same names, same places, same defaults but for its own name."""
    peer = pytest.importorskip("watchtower").CloudWatchLogHandler
    theirs = list(inspect.signature(peer).parameters.values())
    ours = inspect.signature(CloudWatchLogHandler).parameters
    told_by_name = {"args", "kwargs"}
    names = [found.name for found in theirs if found.name not in told_by_name]
    assert [name for name in ours if name in names] == names
    assert list(ours)[: len(names)] == names
    own = {"log_group_name", "max_batch_size", "max_message_size"}
    # No tags are an empty dict there, one for all handlers.
    assert {name: ours[name].default for name in names if name not in own} == {
        found.name: None if found.default == {} else found.default
        for found in theirs
        if found.name in names and found.name not in own
    }


def test_what_is_logged_while_sending_is_not_sent(cloud: Cloud, log: logging.Logger) -> None:
    """The root logger at DEBUG would otherwise loop through the SDK's own lines."""
    handler = CloudWatchLogHandler("app", "s", boto3_client=cloud.logs)
    log.addHandler(handler)
    with FLEET.sending():
        log.info("of the sender")
    log.info("of the user")
    handler.flush()
    assert [message for _, message in told(cloud.logs)] == ["of the user"]


def test_the_formatter_adds_attributes_and_the_exception() -> None:
    """Named attributes go with the text, and an exception with the dict that was logged."""
    record = logging.LogRecord("n", logging.INFO, "f.py", 3, "said %s", ("x",), None)
    formatter = CloudWatchLogFormatter(add_log_record_attrs=["levelname", "lineno"])
    assert json.loads(formatter.format(record)) == {"msg": "said x", "levelname": "INFO", "lineno": 3}
    try:
        raise ValueError("broken")
    except ValueError as error:
        record = logging.LogRecord(
            "n", logging.ERROR, "f.py", 3, {"a": 1}, None, (ValueError, error, error.__traceback__)
        )
    found = json.loads(CloudWatchLogFormatter().format(record))
    assert found["a"] == 1
    assert found["exc_info"].endswith("ValueError: broken")


def test_arguments_that_exclude_each_other(cloud: Cloud) -> None:
    """A client and a profile, or the older and the newer name of one argument, are refused."""
    with pytest.raises(ConfigError, match="exclude each other"):
        CloudWatchLogHandler(boto3_client=cloud.logs, boto3_profile_name="p")
    with pytest.raises(ConfigError, match="older name"):
        CloudWatchLogHandler("app", log_group="other", boto3_client=cloud.logs)
    with pytest.warns(DeprecationWarning, match="use log_group_name"):
        assert CloudWatchLogHandler(log_group="old", boto3_client=cloud.logs).log_group_name == "old"


@pytest.mark.parametrize(
    "arguments",
    [{"boto3_profile_name": "p"}, {"log_group": "older"}, {"level": "no such"}, {"policy": "none"}],
)
def test_a_handler_that_was_refused_is_unknown_to_logging(arguments: Any, cloud: Cloud) -> None:
    """At exit logging flushes the handlers that it knows: one without a shipper isn't among them."""
    known = list(logging._handlerList)  # type: ignore[attr-defined]
    with pytest.raises((ConfigError, ValueError)) as refused:
        CloudWatchLogHandler("app", boto3_client=cloud.logs, **arguments)
    new = [found for found in logging._handlerList if found not in known]  # type: ignore[attr-defined]
    assert [found for found in new if not hasattr(found(), "shipper")] == []
    assert str(refused.value)


@pytest.mark.parametrize(
    ("said", "args"),
    [("plain", ()), ("100 %", ()), ("%s of %d", ("one", 2)), ("%(a)s", ({"a": 1},)), (7, ())],
)
def test_the_short_way_to_a_text_gives_what_loggings_own_gives(said: Any, args: Any) -> None:
    """Whether there are arguments, an exception or a stack: the event's text is what logging.Formatter makes of it."""
    record = logging.LogRecord("n", logging.INFO, "f.py", 3, said, args, None)
    assert CloudWatchLogFormatter().format(record) == logging.Formatter().format(record)
    record.stack_info = "Stack: here"
    assert CloudWatchLogFormatter().format(record) == logging.Formatter().format(record)
    try:
        raise ValueError("broken")
    except ValueError as error:
        record.exc_info = (ValueError, error, error.__traceback__)
    assert CloudWatchLogFormatter().format(record) == logging.Formatter().format(record)
    assert CloudWatchLogFormatter("%(levelname)s %(message)s").format(record).startswith("INFO ")
