"""botocore's models of services: loaded once, and without a look at the four hundred that aren't here."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import Loader
from botocore.model import ServiceModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.waiter import WaiterModel


class _Loader(Loader):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def list_available_services(self, type_name: str) -> list[str]:
        """The one that is asked for, if there is such a model of it: the others' folders take 40 ms to look through."""
        try:
            return [self._service] if self.list_api_versions(self._service, type_name) else []
        except DataNotFoundError:
            return []


@cache
def _load(service: str, kind: str) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", _Loader(service).load_service_model(service, kind))


@cache
def service_model(service: str) -> ServiceModel:
    """The model of a service, by botocore's name of it."""
    return ServiceModel(_load(service, "service-2"), service)


def pagination(service: str) -> Mapping[str, Any]:
    """Which operations of a service give their answers in pages, and how."""
    return cast("Mapping[str, Any]", _load(service, "paginators-1")["pagination"])


@cache
def waiters(service: str) -> WaiterModel:
    """What can be waited for in a service; nothing in some."""
    from botocore.waiter import WaiterModel

    try:
        return WaiterModel(_load(service, "waiters-2"))
    except UnknownServiceError:
        return WaiterModel({"version": 2, "waiters": {}})
