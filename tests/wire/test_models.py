"""What the wire protocols rely on in botocore's models."""

from __future__ import annotations

import pytest

from lambdalog.wire.exchange import SERVICES
from lambdalog.wire.models import model

PROTOCOLS = {
    "logs": ["json"],
    "sqs": ["json"],
    "sns": ["query"],
    "lambda": ["rest-json"],
    "sts": ["query"],
}


@pytest.mark.parametrize("service", PROTOCOLS)
def test_the_protocols_of_a_service_are_those_that_are_spoken(service: str) -> None:
    """A botocore that has a service speak another one would send what isn't understood here."""
    assert model(service).metadata["protocols"] == PROTOCOLS[service]


def test_each_service_has_its_protocols_told() -> None:
    """None of those that are answered is forgotten above."""
    assert PROTOCOLS.keys() == set(SERVICES)
