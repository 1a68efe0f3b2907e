"""botocore's models: what is there, and what the wire protocols rely on in it."""

from __future__ import annotations

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from lambdalog.models import pagination, service_model, waiters
from lambdalog.wire.exchange import SERVICES

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
    assert service_model(service).metadata["protocols"] == PROTOCOLS[service]


def test_each_service_has_its_protocols_told() -> None:
    """None of those that are answered is forgotten above."""
    assert PROTOCOLS.keys() == set(SERVICES)


@pytest.mark.parametrize("service", PROTOCOLS)
def test_a_model_is_botocores_own(service: str) -> None:
    """Nothing of a model is lost on the short way to it: what botocore adds to the file of a service is there too."""
    whole = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    mine = service_model(service)
    assert mine.operation_names == whole.operation_names
    assert mine.metadata == whole.metadata
    assert mine.shape_names == whole.shape_names


def test_a_service_that_there_is_not_is_refused() -> None:
    """As botocore refuses it."""
    with pytest.raises(UnknownServiceError):
        service_model("lamda")


def test_pages_and_waiters_are_those_of_the_service() -> None:
    """A service without waiters has none, which is no error."""
    assert pagination("logs")["DescribeLogGroups"]["result_key"] == "logGroups"
    assert "FunctionActiveV2" in waiters("lambda").waiter_names
    assert waiters("sqs").waiter_names == []
