"""botocore's service models, loaded once."""

from __future__ import annotations

from functools import cache

from botocore.loaders import Loader
from botocore.model import ServiceModel


@cache
def model(service: str) -> ServiceModel:
    """The model of a service by botocore's name of it."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)
