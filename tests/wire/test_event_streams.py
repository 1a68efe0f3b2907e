"""Answers that go on: frame by frame, read back by botocore, with and without a socket."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import eventstream, parsers
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.exceptions import EventStreamError as BotocoreEventStreamError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdalog.local.event_stream import EventStream
from lambdalog.models import service_model
from lambdalog.server.endpoint import Door, Endpoint, body_max
from lambdalog.server.http import HttpServer
from lambdalog.wire import Exchange, json_protocol, rest_protocol
from lambdalog.wire.event_stream import stream_member
from lambdalog.wire.inprocess import boto3_client
from tests.wire.test_round_trip import values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hypothesis.strategies import SearchStrategy

STREAMED = [("logs", "StartLiveTail"), ("logs", "GetLogObject"), ("lambda", "InvokeWithResponseStream")]
CODECS: dict[str, Any] = {"logs": json_protocol, "lambda": rest_protocol}
PARSERS: dict[str, Any] = {
    "logs": parsers.EventStreamJSONParser,
    "lambda": parsers.EventStreamJSONParser,
}


def events(shape: Any) -> SearchStrategy[list[dict[str, Any]]]:
    """Lists of events of a stream's shape."""
    kinds = [
        st.fixed_dictionaries({name: values(member, depth=1)})
        for name, member in shape.members.items()
        if member.serialization.get("event")
    ]
    return st.lists(st.one_of(kinds), max_size=4)


@pytest.mark.parametrize(("service", "name"), STREAMED, ids=lambda value: value)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_events_come_back(service: str, name: str, data: st.DataObject) -> None:
    """Whatever events are given, botocore reads the same ones from the frames, however they are cut."""
    operation = service_model(service).operation_model(name)
    found = stream_member(operation)
    assert found is not None
    member, shape = found
    given_events = data.draw(events(shape))
    response = CODECS[service].encode(operation, {member: EventStream(given_events)})
    assert response.headers["content-type"] == "application/vnd.amazon.eventstream"
    sent = b"".join(response.stream)
    buffer = eventstream.EventStreamBuffer()
    at = 0
    while at < len(sent):
        size = data.draw(st.integers(1, max(len(sent), 2)))
        buffer.add_data(sent[at : at + size])
        at += size
    read = []
    for message in buffer:
        raw = message.to_response_dict()
        assert raw["status_code"] == 200
        if raw["headers"][":event-type"] == "initial-response":
            assert service == "logs"
            continue
        read.append(PARSERS[service]().parse(raw, shape))
    # An event that is all payload has one, if an empty one.
    empty = {"PayloadChunk": {"Payload": b""}}
    assert read == [
        {kind: empty.get(kind, {}) | value for kind, value in event.items()} for event in given_events
    ]


class Clients:
    """boto3's clients of a dispatch, over a socket or without one."""

    def __init__(self, way: str, dispatch: Callable[..., dict[str, Any]]) -> None:
        self._server: HttpServer | None = None
        self._clients: list[Any] = []
        self._exchange = Exchange(dispatch)
        if way == "http":
            endpoint = Endpoint(dispatch, Door(None))
            self._server = HttpServer(
                ("127.0.0.1", 0), endpoint.answer, refuse=endpoint.refuse, body_max=body_max
            )
            self._server.start()

    def client(self, service: str) -> Any:
        """One of them."""
        if self._server is None:
            return boto3_client(service, self._exchange, region="us-east-1")
        client = boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=f"http://127.0.0.1:{self._server.port}",
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
        )
        self._clients.append(client)
        return client

    def stop(self, grace: float = 5) -> bool:
        """Stop what serves them, and hang up."""
        for client in self._clients:
            client.close()
        return self._server is None or self._server.stop(grace)


@pytest.fixture(params=["inprocess", "http"])
def clients(request: pytest.FixtureRequest) -> Iterator[Callable[..., Clients]]:
    """Makes clients of a dispatch."""
    made: list[Clients] = []

    def make(dispatch: Callable[..., dict[str, Any]]) -> Clients:
        made.append(Clients(request.param, dispatch))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def test_a_response_stream_comes_as_it_is_made(clients: Callable[..., Clients]) -> None:
    """A chunk is read before the next is made; the rest of the response is in its headers."""
    gate = threading.Semaphore(0)

    def chunks() -> Iterator[dict[str, Any]]:
        yield {"PayloadChunk": {"Payload": b"\x00one"}}
        assert gate.acquire(timeout=10)
        yield {"PayloadChunk": {"Payload": b"two"}}
        yield {"InvokeComplete": {"ErrorCode": "Oh", "ErrorDetails": "no"}}

    made = clients(
        lambda *_: {
            "StatusCode": 200,
            "ExecutedVersion": "7",
            "ResponseStreamContentType": "text/html",
            "EventStream": EventStream(chunks()),
        }
    )
    response = made.client("lambda").invoke_with_response_stream(FunctionName="f")
    assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "7")
    assert response["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    read = iter(response["EventStream"])
    assert next(read) == {"PayloadChunk": {"Payload": b"\x00one"}}
    gate.release()
    assert list(read) == [
        {"PayloadChunk": {"Payload": b"two"}},
        {"InvokeComplete": {"ErrorCode": "Oh", "ErrorDetails": "no"}},
    ]


def test_an_exception_ends_a_stream(clients: Callable[..., Clients]) -> None:
    """The reader sees the events before it, then the error with its code; the source is closed."""
    closed = threading.Event()

    def live() -> Iterator[dict[str, Any]]:
        yield {"sessionStart": {"sessionId": "s"}}
        error: Any = {"Error": {"Code": "SessionTimeoutException", "Message": "three hours"}}
        raise ClientError(error, "StartLiveTail")

    stream = EventStream(live(), endless=True, on_close=closed.set)
    response = (
        clients(lambda *_: {"responseStream": stream})
        .client("logs")
        .start_live_tail(logGroupIdentifiers=["g"])
    )
    read = iter(response["responseStream"])
    assert next(read) == {"sessionStart": {"sessionId": "s"}}
    with pytest.raises(BotocoreEventStreamError) as raised:
        next(read)
    assert raised.value.response["Error"] == {"Code": "SessionTimeoutException", "Message": "three hours"}
    response["responseStream"].close()
    assert closed.wait(5)


def test_a_bug_in_a_source_tells_nothing(
    clients: Callable[..., Clients], caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the reader learns that the stream failed, not of what."""

    def live() -> Iterator[dict[str, Any]]:
        yield {"sessionUpdate": {"sessionResults": []}}
        raise RuntimeError("/secret/path")

    response = (
        clients(lambda *_: {"responseStream": EventStream(live())})
        .client("logs")
        .start_live_tail(logGroupIdentifiers=["g"])
    )
    read = iter(response["responseStream"])
    next(read)
    with pytest.raises(BotocoreEventStreamError) as raised:
        next(read)
    assert raised.value.response["Error"]["Code"] == "InternalFailure"
    assert "/secret" not in str(raised.value)
    assert "a stream of" in caplog.text
    response["responseStream"].close()


def test_a_reader_that_leaves_closes_the_source(clients: Callable[..., Clients]) -> None:
    """Whatever a double holds open for a reader is let go of."""
    closed = threading.Event()

    def live() -> Iterator[dict[str, Any]]:
        while not closed.wait(0.01):
            yield {"sessionUpdate": {"sessionResults": []}}

    stream = EventStream(live(), endless=True, on_close=closed.set)
    response = (
        clients(lambda *_: {"responseStream": stream})
        .client("logs")
        .start_live_tail(logGroupIdentifiers=["g"])
    )
    next(iter(response["responseStream"]))
    response["responseStream"].close()
    assert closed.wait(10)


def test_a_stop_cuts_what_has_no_end(clients: Callable[..., Clients]) -> None:
    """A live tail ends for its reader without an error; a stream with an end is read to it."""
    go_on = threading.Event()

    def live() -> Iterator[dict[str, Any]]:
        while True:
            go_on.wait(0.01)
            yield {"sessionUpdate": {"sessionResults": []}}

    def chunks() -> Iterator[dict[str, Any]]:
        yield {"PayloadChunk": {"Payload": b"one"}}
        assert go_on.wait(10)
        yield {"PayloadChunk": {"Payload": b"two"}}

    def dispatch(service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        if service == "logs":
            return {"responseStream": EventStream(live(), endless=True)}
        return {"StatusCode": 200, "EventStream": EventStream(chunks())}

    made = clients(dispatch)
    if made._server is None:
        return  # there is nothing to stop
    tail = iter(made.client("logs").start_live_tail(logGroupIdentifiers=["g"])["responseStream"])
    stream = iter(made.client("lambda").invoke_with_response_stream(FunctionName="f")["EventStream"])
    next(tail)
    next(stream)
    stopped: list[bool] = []
    stopping = threading.Thread(target=lambda: stopped.append(made.stop(20)))
    stopping.start()
    for _ in tail:
        pass  # it ends
    go_on.set()
    assert list(stream) == [{"PayloadChunk": {"Payload": b"two"}}]
    stopping.join()
    assert stopped == [True]


def test_a_stream_is_closed_once() -> None:
    """Read to its end, closed again, or left in a `with`: what it holds is let go of once."""
    closed: list[int] = []
    for way in range(3):
        stream = EventStream([{"a": {}}, {"b": {}}], on_close=lambda way=way: closed.append(way))  # type: ignore[misc]
        if way == 0:
            assert list(stream) == [{"a": {}}, {"b": {}}]
            stream.close()
        elif way == 1:
            with stream as opened:
                assert next(iter(opened)) == {"a": {}}
        else:
            stream.close()
            assert list(stream) == []
    assert closed == [0, 1, 2]
