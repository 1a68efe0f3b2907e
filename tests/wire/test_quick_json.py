"""Bodies read in one pass: what is plain is read as the slow way reads it, and nothing else is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdalog.models import service_model
from lambdalog.wire import quick_json
from lambdalog.wire.json_values import from_json

PUT: Any = service_model("logs").operation_model("PutLogEvents").input_shape

scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=4)
events = st.lists(
    st.dictionaries(st.sampled_from(["timestamp", "message", "other"]), scalars, max_size=3), max_size=3
)
bodies = st.dictionaries(
    st.sampled_from(["logGroupName", "logStreamName", "logEvents", "entity", "other"]),
    scalars | events | st.dictionaries(st.text(max_size=2), scalars, max_size=2),
    max_size=4,
)


@given(body=bodies)
def test_what_is_read_at_once_is_what_is_read_slowly(body: Any) -> None:
    """Whichever way a body goes, its parameters are the same; what isn't plain says so."""
    read = quick_json.reader(PUT)
    assert read is not None
    try:
        found = read(json.dumps(body).encode())
    except quick_json.NotPlain:
        return
    assert found == from_json(body, PUT)


def test_a_plain_body_takes_the_short_way() -> None:
    """Ten thousand events would gain nothing if this were refused."""
    read = quick_json.reader(PUT)
    assert read is not None
    body = {"logGroupName": "g", "logEvents": [{"timestamp": 1, "message": "m\u00e9"}]}
    assert read(json.dumps({**body, "other": [1]}).encode()) == body


@pytest.mark.parametrize(
    "body",
    [
        b'{"logEvents": null}',
        b'{"logEvents": [{"timestamp": "1"}]}',
        b'{"logEvents": [{"timestamp": true}]}',
        b'{"logEvents": [{"timestamp": 9223372036854775808}]}',
        b'{"logGroupName": "\\ud800"}',
        b'{"logGroupName": "\xff"}',
        b"{",
        b'{"a": ' + b"[" * 100_000,
    ],
)
def test_what_is_unusual_is_left_to_the_other(body: bytes) -> None:
    """Nulls, other types, numbers that no long holds, halves of a pair, bytes that are no JSON."""
    read = quick_json.reader(PUT)
    assert read is not None
    with pytest.raises(quick_json.NotPlain):
        read(body)


def test_shapes_with_more_than_plain_values_have_no_short_way() -> None:
    """Blobs come in base64: msgspec would hand them over as they are."""
    assert quick_json.reader(service_model("sqs").operation_model("SendMessage").input_shape) is None
