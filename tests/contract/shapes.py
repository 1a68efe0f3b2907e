"""A response held against the shape that botocore's model gives its operation."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from botocore import xform_name

from tests.contract.always import ALWAYS, MOTO_LACKS, missing

if TYPE_CHECKING:
    from botocore.model import Shape

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (float, int),
    "double": (float, int),
    "boolean": (bool,),
    "timestamp": (dt.datetime,),
    "blob": (bytes, bytearray, object),
}


def check(value: Any, shape: Shape, where: str) -> None:
    """AssertionError, with the place, if a value is not of its shape."""
    kind = shape.type_name
    if shape.serialization.get("eventstream"):
        assert hasattr(value, "__iter__"), f"{where}: {type(value).__name__} is no stream of events"
        return
    if kind == "structure":
        members = shape.members  # type: ignore[attr-defined]
        assert isinstance(value, dict), f"{where}: {type(value).__name__} is no structure"
        unknown = value.keys() - members.keys() - {"ResponseMetadata"}
        assert not unknown, f"{where}: {unknown} are not in the model"
        for name in value.keys() & members.keys():
            check(value[name], members[name], f"{where}.{name}")
    elif kind == "list":
        assert isinstance(value, list), f"{where}: {type(value).__name__} is no list"
        for index, item in enumerate(value):
            check(item, shape.member, f"{where}[{index}]")  # type: ignore[attr-defined]
    elif kind == "map":
        assert isinstance(value, dict), f"{where}: {type(value).__name__} is no map"
        for name, item in value.items():
            check(item, shape.value, f"{where}[{name}]")  # type: ignore[attr-defined]
    else:
        assert isinstance(value, _TYPES[kind]), f"{where}: {value!r} is no {kind}"
        assert kind not in {"integer", "long"} or not isinstance(value, bool), (
            f"{where}: a boolean is no {kind}"
        )


class checked:  # noqa: N801 - used as a function
    """A client whose responses are checked. `backend` is the name of whose they are."""

    def __init__(self, client: Any, backend: str) -> None:
        self._client = client
        self._backend = backend
        self._operations = {xform_name(name): name for name in client.meta.service_model.operation_names}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        operation = self._operations.get(name)
        if operation is None:
            return found

        def call(**params: Any) -> Any:
            response = found(**params)
            model = self._client.meta.service_model
            assert "ResponseMetadata" in response
            shape = model.operation_model(operation).output_shape
            if shape is None:
                assert response.keys() == {"ResponseMetadata"}
            else:
                check(response, shape, operation)
            check_always(response, model.service_name, operation, self._backend)
            return response

        return call


def check_always(response: dict[str, Any], service: str, operation: str, backend: str) -> None:
    """AssertionError, with what is missing, if a response lacks what AWS always tells."""
    absent = missing(response, ALWAYS[service].get(operation, ""))
    lacks = MOTO_LACKS.get(f"{service} {operation}", "").split() if backend == "moto" else []
    absent = [path for path in absent if path not in lacks]
    assert not absent, f"{operation}: {', '.join(absent)} should always be there"
