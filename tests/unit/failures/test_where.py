"""Choosing failures."""

from __future__ import annotations

import pytest

from lambdalog.errors import ConfigError
from lambdalog.failures import Explained, where
from lambdalog.failures.letter import Letter

NOW = 1_000_000_000
FOUND = Explained(
    Letter(
        "m-1",
        "pay-dlq",
        "dead-letter",
        body='{"order": {"total": 12, "to": "Ada"}}',
        event='{"order": {"total": 12, "to": "Ada"}}',
        sent_at=NOW - 7_200_000,
        request_id="r-1",
        function="pay",
        tries=3,
    ),
    "Declined",
    "card [1] declined",
    "3fa9c1d2e4b56789",
    "7",
)


@pytest.mark.parametrize(
    "text",
    [
        "type=Declined",
        "type=Dec*",
        "type!=Other",
        "message~DECLINED",
        "message=card [1]*",
        "message!~timeout",
        "function=pay",
        "version=7",
        "queue=*-dlq",
        "kind=dead-letter",
        "request=r-1",
        "id = m-1",
        "text~ada",
        "body~total",
        "age>1h",
        "age < 3h",
        "age>=120m",
        "tries=3",
        "tries>2",
        "$.order.total > 10",
        '$.order.to = "Ada"',
        "{ $.order.total = 12 && $.order.to = A* }",
        "3fa9",
        "3fa9c1d2e4b56789",
        "fingerprint=3fa9*",
    ],
)
def test_what_is_meant(text: str) -> None:
    """Each condition holds of the failure, and its opposite doesn't hold with it."""
    assert where([text])(FOUND, NOW)
    assert not where([text, "type=Nothing"])(FOUND, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "type=declined",
        "message~x",
        "age<1h",
        "tries<3",
        "$.order.total > 20",
        "$.none = 1",
        "dead0",
        "message=card ?1?*",
    ],
)
def test_what_is_not_meant(text: str) -> None:
    """Whole values mind the case, patterns ask the event, a fingerprint begins so."""
    assert not where([text])(FOUND, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Declined",
        "type",
        "color=red",
        "type>3",
        "age>1",
        "age>soon",
        "tries=2h",
        "$.a >",
        "{ $.a = 1",
        "abc",
    ],
)
def test_what_is_no_condition(text: str) -> None:
    """Each says so; nothing is chosen by a guess."""
    with pytest.raises(ConfigError):
        where([text])


def test_no_condition_means_everything() -> None:
    """It is false as a value, so that acting on a whole queue can be told from a choice."""
    assert not where([])
    assert where([])(FOUND, NOW)
    assert str(where(["a~b".replace("a", "text"), "age>1h"])) == "text~b and age>1h"


def test_an_event_that_is_none_matches_no_path() -> None:
    """A message that isn't JSON, and one without an event."""
    import msgspec

    for event in (None, "no JSON"):
        bare = msgspec.structs.replace(FOUND, letter=msgspec.structs.replace(FOUND.letter, event=event))
        assert not where(["$.a = 1"])(bare, NOW)
