"""What every double shares: it takes and gives what boto3's client of the service takes and gives.

Names, validation, error classes, paginators and waiters come from botocore's own service models, so that a double can't
drift from them. A subclass sets `service` and writes a method for each operation it has; the rest answers as the service
answers an operation that it doesn't know.
"""

from __future__ import annotations

import functools
import itertools
import os
import threading
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, TypeVar, cast

from botocore import xform_name
from botocore.errorfactory import ClientExceptionsFactory
from botocore.exceptions import (
    ClientError,
    OperationNotPageableError,
    ParamValidationError,
)
from botocore.paginate import Paginator
from botocore.validate import ParamValidator

from lambdalog.clock import SYSTEM
from lambdalog.forked import after_fork
from lambdalog.local.constraints import Constraints, Violations
from lambdalog.local.halves import half_at
from lambdalog.local.quick import compile_check
from lambdalog.models import pagination, service_model, waiters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from botocore.model import ServiceModel
    from botocore.waiter import Waiter

    from lambdalog.arn import Scope
    from lambdalog.clock import Clock


_Method = TypeVar("_Method", bound="Callable[..., dict[str, Any]]")


@functools.cache
def operations(service: str) -> dict[str, str]:
    """Method name → operation name: put_log_events → PutLogEvents."""
    return {xform_name(name): name for name in service_model(service).operation_names}


@functools.cache
def _methods(service: str) -> dict[str, str]:
    """Operation name → method name: PutLogEvents → put_log_events."""
    return {operation: method for method, operation in operations(service).items()}


@functools.cache
def _exceptions(service: str) -> Any:
    return ClientExceptionsFactory().create_client_exceptions(service_model(service))


@functools.cache
def _checks(service: str, operation: str) -> Callable[[Any, str, Violations], None] | None:
    shape = service_model(service).operation_model(operation).input_shape
    return None if shape is None else Constraints().compile(shape)


@functools.cache
def _right(service: str, operation: str) -> Callable[[Any], bool]:
    shape = service_model(service).operation_model(operation).input_shape
    return compile_check(shape) if shape is not None else (lambda _: True)


@functools.cache
def _status(service: str, operation: str) -> int:
    """The status of an operation's reply, as the model has it."""
    return int(service_model(service).operation_model(operation).http.get("responseCode", 200))


@dataclass(frozen=True, slots=True)
class Meta:
    """What boto3's `client.meta` tells."""

    service_model: ServiceModel
    region_name: str
    endpoint_url: str
    partition: str = "aws"

    @property
    def method_to_api_mapping(self) -> dict[str, str]:
        """Method name → operation name."""
        return operations(self.service_model.service_name)


class Double:
    """A client of one service whose data lives on this machine.

    Raises what boto3's client raises: ParamValidationError for parameters of a wrong shape, and the service's own
    errors (botocore ClientError, `client.exceptions.X`) with AWS's codes and texts.
    """

    service: ClassVar[str]
    # Operations whose parameters the method checks itself, because the general way would cost more than the work.
    self_checked: ClassVar[frozenset[str]] = frozenset()
    # What reads the JSON body of an operation's request in a way of its own, for the same reason: its parameters, or None if
    # they are to be read as any others.
    readers: ClassVar[Mapping[str, Callable[[bytes], dict[str, Any] | None]]] = {}
    # The code of constraint errors; None where the service words each case in its own way.
    constraint_code: ClassVar[str | None] = None
    # What is different from AWS, or missing, by operation: for docs/aws-compatibility.md.
    notes: ClassVar[dict[str, str]] = {}

    def __init__(self, *, scope: Scope, clock: Clock = SYSTEM) -> None:
        self.scope = scope
        self.clock = clock
        self.meta = Meta(
            service_model(self.service), scope.region, f"https://{self.service}.{scope.region}.amazonaws.com"
        )
        self.exceptions = _exceptions(self.service)
        self._current = threading.local()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "service" in cls.__dict__ or hasattr(cls, "service"):
            known = operations(cls.service)
            for name, method in list(vars(cls).items()):
                if name in known and callable(method) and not getattr(method, "whole", False):
                    setattr(cls, name, _operation(cls.service, known[name], method))

    # --- for subclasses

    def error(self, code: str, message: str = "", *, status: int = 400, **fields: Any) -> ClientError:
        """The service's error with this code, to be raised; further fields stand beside Error in the response."""
        response = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": metadata(status),
            **fields,
        }
        kind = self.exceptions.from_code(code)
        return cast("ClientError", kind(response, getattr(self._current, "operation", "Unknown")))

    def check_limits(self, operation: str, params: dict[str, Any]) -> None:
        """Refuse parameters that break the limits of the service's model; overridden by who words that differently."""
        if self.constraint_code is None:
            return
        check = _checks(self.service, operation)
        if check is not None:
            violations = Violations()
            check(params, "", violations)
            if violations:
                raise self.error(self.constraint_code, str(violations))

    def unknown_operation(self, operation: str) -> ClientError:
        """How the service answers an operation that it doesn't have."""
        return self.error(
            "UnknownOperationException", f"The requested operation {operation} is not implemented here."
        )

    # --- what boto3's clients have

    def call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Run an operation by its name on the wire: `call("PutLogEvents", {...})`."""
        method = getattr(type(self), _methods(self.service).get(operation, ""), None)
        if method is None:
            self._current.operation = operation
            raise self.unknown_operation(operation)
        return cast("dict[str, Any]", method(self, **params))

    def get_paginator(self, operation_name: str) -> Paginator[Any]:
        """boto3's paginator over an operation, named as a method."""
        config = pagination(self.service).get(operations(self.service).get(operation_name, ""))
        if config is None:
            raise OperationNotPageableError(operation_name=operation_name)
        model = self.meta.service_model.operation_model(operations(self.service)[operation_name])
        return Paginator(getattr(self, operation_name), config, model)

    def can_paginate(self, operation_name: str) -> bool:
        """Whether an operation has a paginator."""
        return operations(self.service).get(operation_name) in pagination(self.service)

    def get_waiter(self, waiter_name: str) -> Waiter:
        """boto3's waiter of that name, as `function_active`."""
        # With it comes what botocore writes its documentation by.
        from botocore.waiter import NormalizedOperationMethod, Waiter

        model = waiters(self.service)
        names = {xform_name(name): name for name in model.waiter_names}
        if waiter_name not in names:
            raise ValueError(f"Waiter does not exist: {waiter_name}")
        config: Any = model.get_waiter(names[waiter_name])
        return Waiter(
            waiter_name, config, NormalizedOperationMethod(getattr(self, xform_name(config.operation)))
        )

    @property
    def waiter_names(self) -> list[str]:
        """The names of the service's waiters."""
        return [xform_name(name) for name in waiters(self.service).waiter_names]

    def background(self) -> Iterable[tuple[str, Callable[[threading.Event], object]]]:
        """What has to run beside the service where a store is served: names, and loops that end when the event is set.

        Deliveries, mappings, moves: whatever AWS does between two requests. `serve` and `demo` give each a thread.
        """
        return ()

    def end_waits(self) -> None:
        """Let requests that are waiting (long polls) return with what they have: a service that stops says it, repeatedly."""

    def close(self) -> None:
        """Let go of files; boto3's clients have it too."""

    def __getattr__(self, name: str) -> Any:
        operation = None if name.startswith("_") else operations(type(self).service).get(name)
        if operation is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

        def missing(**_: Any) -> NoReturn:
            self._current.operation = operation
            raise self.unknown_operation(operation)

        return missing


def whole(method: _Method) -> _Method:
    """Mark a method as all of its operation: it checks its parameters and completes its response (`metadata`) itself."""
    method.whole = True  # type: ignore[attr-defined]
    return method


def implemented(double: type[Double]) -> frozenset[str]:
    """The operations that a double has."""
    return frozenset(name for method, name in operations(double.service).items() if method in dir(double))


def _operation(service: str, name: str, method: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """A method as the client's operation: keyword arguments checked, response completed."""
    # Made at the first call: reading a service's model takes longer than most programs need of it.
    right: Callable[[Any], bool] | None = None
    usual = 200

    @functools.wraps(method)
    def call(self: Double, *args: Any, **params: Any) -> dict[str, Any]:
        nonlocal right, usual
        if args:
            raise TypeError(f"{method.__name__}() only accepts keyword arguments.")
        self._current.operation = name
        if right is None:
            usual, right = _status(service, name), _right(service, name)
        if name not in self.self_checked:
            if (where := half_at(params)) is not None:
                raise _half(where)
            # botocore words what is wrong; most often nothing is, and that is seen much sooner.
            if not right(params):
                _validate(service, name, params)
            self.check_limits(name, params)
        response: dict[str, Any] = method(self, **params) or {}
        # The status of a reply without a body is in the response; an operation may know its own request id.
        told = metadata(response.get("StatusCode", usual))
        if "ResponseMetadata" in response:
            told |= response.pop("ResponseMetadata")
        response["ResponseMetadata"] = told
        return response

    return call


def _half(where: str) -> ParamValidationError:
    return ParamValidationError(
        report=f"Invalid value for parameter {where}: half a surrogate pair is no text that can be stored"
    )


def _validate(service: str, operation: str, params: dict[str, Any]) -> None:
    shape: Any = service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(params, shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())


class _RequestIds:
    """Request ids: random for a process, counted within it."""

    def __init__(self) -> None:
        self.renew()
        after_fork(self.renew)

    def renew(self) -> None:
        """Begin anew: a fork must not give its parent's."""
        self._head = str(uuid.uuid4())[:24]
        self._numbers = itertools.count(int.from_bytes(os.urandom(5), "big"))

    def next(self) -> str:
        return self._head + next(self._numbers).to_bytes(6, "big").hex()


_REQUEST_IDS: Final = _RequestIds()


def metadata(status: int = 200) -> dict[str, Any]:
    """The ResponseMetadata of a response, with a request id of its own."""
    return {"RequestId": _REQUEST_IDS.next(), "HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}
