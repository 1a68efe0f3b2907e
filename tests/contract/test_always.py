"""The lists of what responses always hold, held against the models."""

from __future__ import annotations

from typing import Any

import pytest

from lambdalog.local.base import implemented
from lambdalog.local.lambda_ import Lambda
from lambdalog.local.logs import Logs
from lambdalog.local.sns import Sns
from lambdalog.local.sqs import Sqs
from lambdalog.local.sts import Sts
from lambdalog.models import service_model
from tests.contract.always import ALWAYS, missing

DOUBLES = {"logs": Logs, "sqs": Sqs, "sns": Sns, "lambda": Lambda, "sts": Sts}


@pytest.mark.parametrize("service", ALWAYS)
def test_every_path_is_in_the_model(service: str) -> None:
    """A name that the model doesn't have would never be missed."""
    for name, paths in ALWAYS[service].items():
        for path in paths.split():
            shape: Any = service_model(service).operation_model(name).output_shape
            for part in path.split("."):
                if shape.type_name == "map":
                    shape = shape.value  # any name may be in it
                    continue
                assert part.rstrip("[]") in shape.members, f"{name}: {path}"
                shape = shape.members[part.rstrip("[]")]
                for _ in range(part.count("[]")):
                    shape = shape.member


@pytest.mark.parametrize("service", ALWAYS)
def test_no_operation_is_forgotten(service: str) -> None:
    """Each that a double has, and that answers anything at all, has its list."""
    answering = {
        name
        for name in implemented(DOUBLES[service])
        if (shape := service_model(service).operation_model(name).output_shape) is not None and shape.members
    }
    assert answering - ALWAYS[service].keys() == set()


def test_what_is_missing() -> None:
    """A structure's member is demanded of it, a list's of each of its items, and of no list that isn't there."""
    value = {"events": [{"id": 1, "text": "a"}, {"id": 2}], "statistics": {}}
    assert missing(value, "events events[].id other[].id") == []
    assert missing(value, "events[].text statistics.scanned other.id more") == [
        "events[].text",
        "statistics.scanned",
        "other.id",
        "more",
    ]
