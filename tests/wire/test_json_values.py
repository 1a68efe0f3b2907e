"""Values of responses as JSON, by their shapes."""

from __future__ import annotations

from typing import Any

import pytest

from lambdalog.models import service_model
from lambdalog.wire.json_values import to_json

EVENT = {"timestamp": 1, "message": "m", "ingestionTime": 2}


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([EVENT, EVENT], [EVENT, EVENT]),
        ([EVENT, {"message": None, "timestamp": 3}], [EVENT, {"timestamp": 3}]),
        ([EVENT, {**EVENT, "eventId": "unknown here"}], [EVENT, EVENT]),
        ((EVENT,), [EVENT]),
        ([], []),
    ],
    ids=["plain", "a null", "no member", "no list", "none"],
)
def test_a_list_of_structures(events: Any, told: list[dict[str, Any]]) -> None:
    """Whether all are told as they stand or one isn't: nulls, and what the model doesn't have, are left out."""
    shape = service_model("logs").operation_model("GetLogEvents").output_shape
    assert to_json({"events": events}, shape) == {"events": told}
