"""The id that ties an event to what caused it."""

from __future__ import annotations

from typing import Any

import pytest

from lambdalog.instrument.correlation import SOURCES, find, parse

EVENTS: dict[str, dict[str, Any]] = {
    "api_gateway": {"requestContext": {"requestId": "id"}},
    "http_api": {"requestContext": {"requestId": "id"}},
    "function_url": {"requestContext": {"requestId": "id"}},
    "websocket": {"requestContext": {"requestId": "id"}},
    "appsync": {"request": {"headers": {"X-Amzn-Trace-Id": "id"}}},
    "alb": {"headers": {"x-amzn-trace-id": "id"}},
    "vpc_lattice": {"headers": {"X-AMZN-TRACE-ID": "id"}},
    "eventbridge": {"id": "id"},
    "s3_object_lambda": {"xAmzRequestId": "id"},
    "sqs": {"Records": [{"messageId": "id"}]},
    "sns": {"Records": [{"Sns": {"MessageId": "id"}}]},
    "s3": {"Records": [{"responseElements": {"x-amz-request-id": "id"}}]},
    "kinesis": {"Records": [{"eventID": "id"}]},
    "dynamodb": {"Records": [{"eventID": "id"}]},
    "step_functions": {"Execution": {"Id": "id"}},
}


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_the_usual_sources_are_known(source: str) -> None:
    """Each built-in source finds the id in its event, and nothing in another's or in no event at all."""
    paths = parse(source)
    assert find(EVENTS[source], paths) == "id"
    events: list[Any] = [{}, None, [], "text", {"Records": []}, {"headers": None}]
    for event in events:
        assert find(event, paths) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("detail.order.id", "o-1"),
        ('detail."x.y"', "quoted"),
        ("detail['x.y']", "quoted"),
        ('detail["x.y"]', "quoted"),
        ("items[1].id", "7"),
        ("items[9].id", None),
        ("detail.order", None),
        ("headers.X-My-Id", "h"),
        ("nothing.at.all", None),
        ("flag", None),
    ],
)
def test_a_path_leads_into_the_event(path: str, expected: str | None) -> None:
    """Names, quoted names, places of a list, headers in any case; only texts and numbers are ids."""
    event = {
        "detail": {"order": {"id": "o-1"}, "x.y": "quoted"},
        "items": [{}, {"id": 7}],
        "headers": {"x-my-id": "h"},
        "flag": True,
    }
    assert find(event, parse(path)) == expected


def test_auto_prefers_what_the_caller_set() -> None:
    """A correlation header comes before the gateway's own request id."""
    event = {"headers": {"X-Correlation-Id": "mine"}, "requestContext": {"requestId": "theirs"}}
    assert find(event, parse("auto")) == "mine"
    assert find({"requestContext": {"requestId": "theirs"}}, parse("auto")) == "theirs"
    assert find({"a": 1}, parse("auto")) is None


def test_an_event_that_fails_at_being_asked_has_no_id_there() -> None:
    """It isn't JSON, but a test's: the other places are asked all the same."""

    class NoNames(dict[str, Any]):
        """Its names can't be had."""

        def __iter__(self) -> Any:
            raise RuntimeError("no names")

    event = {"headers": NoNames(a=1), "requestContext": {"requestId": "r"}}
    assert find(event, parse("auto")) == "r"


@pytest.mark.parametrize("text", ["", "  ", "a..b", "a[", "a[x]", "a b", "[", "*"])
def test_what_is_no_path_is_refused(text: str) -> None:
    """When the function is defined, with what would be right."""
    with pytest.raises(ValueError, match="path"):
        parse(text)
