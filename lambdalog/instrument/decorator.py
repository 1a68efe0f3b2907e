"""@handler: every invocation's lines carry what it is, and a failure is told whole before it is raised again."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from lambdalog.instrument.invocation import CURRENT
from lambdalog.instrument.logger import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

Handler = TypeVar("Handler", bound="Callable[..., Any]")
_MARK = "__lambdalog__"


@overload
def handler(function: Handler, /) -> Handler: ...
@overload
def handler() -> Callable[[Handler], Handler]: ...
def handler(function: Callable[..., Any] | None = None, /) -> Any:
    """Wrap a Lambda handler `function(event, context)`.

    In Lambda, and under `lambdalog invoke`, its lines go to standard output as JSON. In a plain process a context is
    made, the platform's lines are written too, and all of them go to the store. An exception is logged as a failure
    (type, message, causes, frames, fingerprint) and raised again. LAMBDALOG_DISABLED=1 leaves the function as it is.
    """
    if function is None:
        return handler
    if getattr(function, _MARK, False) or os.environ.get("LAMBDALOG_DISABLED") == "1":
        return function
    log = get_logger()

    @functools.wraps(function)
    def wrapped(event: Any, context: Any = None) -> Any:
        if context is None and not os.environ.get("AWS_LAMBDA_RUNTIME_API"):
            from lambdalog.instrument.plain import run

            return run(function, event, observe)
        return observe(event, context)

    def observe(event: Any, context: Any) -> Any:
        CURRENT.begin(context)
        try:
            return function(event, context)
        except Exception as error:
            headline = _headline(error)
            log.exception(headline)
            raise
        finally:
            CURRENT.end()

    setattr(wrapped, _MARK, True)
    return cast("Any", wrapped)


def _headline(error: BaseException) -> str:
    try:
        return f"{type(error).__qualname__}: {error}"
    except Exception:  # noqa: BLE001 - str() is the user's code
        return type(error).__qualname__
