"""@handler: every invocation's lines carry what it is, and a failure is told whole before it is raised again."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, TypeVar, Unpack, overload

from lambdalog.instrument.invocation import CURRENT
from lambdalog.instrument.joining import join
from lambdalog.instrument.observe import Observer
from lambdalog.instrument.options import checked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lambdalog.instrument.options import Options
    from lambdalog.instrument.scrub import Scrubber

Handler = TypeVar("Handler", bound="Callable[..., Any]")
MARK = "__lambdalog__"
DISABLED_VARIABLE = "LAMBDALOG_DISABLED"
_ABSENT: Any = object()


class Decorator(Protocol):
    """What `@handler(…)` gives: it takes a handler and gives one."""

    def __call__(self, function: Handler, /) -> Handler:
        """Wrap a handler."""
        ...


class Settings(TypedDict, total=False):
    """The arguments of `@handler(…)`; HandlerDecorator says what they do, `checked` their defaults."""

    permanent: type[BaseException] | Iterable[type[BaseException]]
    dead_letter: str | None
    timeout_warning: float | None
    correlation: str | None
    sample: float | None
    debug_ring: int | None
    scrub: Scrubber | None
    capture_event: bool
    capture_locals: bool
    flush: float | None


class BatchHandler(Protocol):
    """What `@handler.batch` makes of a function of one record."""

    def __call__(self, event: Any, context: Any = None) -> dict[str, Any]:
        """Handle a batch; the partial response."""
        ...


class HandlerDecorator:
    """`@handler`, `@handler(…)` and `@handler.batch`."""

    @overload
    def __call__(self, function: Handler, /) -> Handler: ...
    @overload
    def __call__(self, **options: Unpack[Settings]) -> Decorator: ...
    def __call__(self, function: Any = None, *called: Any, **options: Unpack[Settings]) -> Any:
        """Wrap a Lambda handler `function(event, context)`: plain, async, a generator, a method, a callable object.

        In Lambda, and under `lambdalog invoke`, its lines go to standard output as JSON. In a plain process a context
        is made, the platform's lines are written too, and all of them go to the store. An exception is logged as a
        failure (type, message, causes, frames with variables, fingerprint, event) and raised again.

        `permanent` exceptions send the event to `dead_letter` (a queue's name, URL or ARN, a topic's ARN) and let the
        invocation succeed: Lambda would only fail again. If that can't be done the exception is raised after all.
        `timeout_warning`: so many seconds before the deadline a line tells where the code is; None: never.
        `correlation`: where the event has an id that ties it to its cause: a path, a source's name, or "auto".
        `sample`: the share of invocations that log at DEBUG (LAMBDALOG_SAMPLE). `debug_ring`: how many lines below
        the level are kept, and written if the invocation fails (LAMBDALOG_DEBUG_RING). `scrub` takes secrets out of
        what a failure tells; `capture_event` and `capture_locals` False leave that out. `flush`: for so many seconds,
        and at most half of the time that is left, the answer waits for shippers to deliver; None: not at all.

        LAMBDALOG_DISABLED=1 leaves the function as it is. TypeError, ValueError for what can't be.
        """
        if called:
            raise TypeError(
                "this is @handler itself, called with an event: name the function that it decorates, as in app.process"
            )
        made = checked(**options)
        if function is None:
            return functools.partial(self._wrap, options=made)
        return self._wrap(function, options=made)

    @overload
    def batch(self, function: Callable[..., Any], /) -> BatchHandler: ...
    @overload
    def batch(
        self, *, workers: int = 1, **options: Unpack[Settings]
    ) -> Callable[[Callable[..., Any]], BatchHandler]: ...
    def batch(self, function: Any = None, *, workers: int = 1, **options: Unpack[Settings]) -> Any:
        """Wrap a function of one record, `function(record)` or `function(record, context)`, as a handler of batches.

        Records of SQS, Kinesis and DynamoDB; the handler answers `batchItemFailures` with those that failed (the
        event source mapping needs FunctionResponseTypes=["ReportBatchItemFailures"]). After a failure a FIFO group,
        or a stream, isn't gone on with: order is kept. `workers` threads handle records side by side where order
        allows. Other arguments are those of `handler`, for each record by itself.
        """
        made = checked(**options)
        if type(workers) is not int or workers < 1:
            raise ValueError(f"workers is a number from 1, not {workers!r}")
        if function is None:
            return lambda found: self._batch(found, workers, made)
        return self._batch(function, workers, made)

    def _batch(self, function: Any, workers: int, options: Options) -> Any:
        from lambdalog.instrument.batch import batch_handler

        if isinstance(function, (staticmethod, classmethod)):
            return type(function)(self._batch(function.__func__, workers, options))
        if getattr(function, MARK, False):
            return function
        # The kill switch leaves no watching, but records are records: the function takes one at a time.
        observer = None if disabled() else Observer(_name(function), options)
        method = _names(function)[:1] in (("self",), ("cls",))
        plain = batch_handler(function, workers, observer, method=method)
        wrapped = plain if observer is None else wrap(plain, observer, inner=function, first=int(method))
        setattr(wrapped, MARK, True)
        return wrapped

    def _wrap(self, function: Any, *, options: Options) -> Any:
        if isinstance(function, type):
            return _class(function, options)
        if isinstance(function, (staticmethod, classmethod)):
            return type(function)(self._wrap(function.__func__, options=options))
        if not callable(function):
            raise TypeError(f"@handler wraps a function or a callable object, not {type(function).__name__}")
        if getattr(function, MARK, False) or disabled():
            return function
        return wrap(function, Observer(_name(function), options))


handler = HandlerDecorator()


def disabled() -> bool:
    """Whether the kill switch is set."""
    return os.environ.get(DISABLED_VARIABLE, "") not in {"", "0"}


def wrap(function: Any, observer: Observer, inner: Any = None, first: int | None = None) -> Any:
    """`function` as a handler that is observed; `inner` is the user's own where `function` is one of ours.

    `first` is where the event stands among the arguments, where that can't be seen.
    """
    first = _offset(function) if first is None else first
    named = inner or function
    join()

    def wrapped(*args: Any, **keys: Any) -> Any:
        __tracebackhide__ = True  # pytest shows a failure in the user's own code
        event = args[first] if len(args) > first else keys.get("event", _ABSENT)
        if event is _ABSENT or CURRENT.mine() is not None:
            # Wrong arguments are the function's to refuse; a handler called by a handler is a part of it.
            return function(*args, **keys)
        given = len(args) > first + 1 or "context" in keys
        context = args[first + 1] if len(args) > first + 1 else keys.get("context")
        join()
        if context is not None or in_lambda():
            if not given and first + 1 == len(args):
                # Lambda always gives both; whoever calls with an event alone means no context.
                args = (*args, None)
            return observer.run(functools.partial(function, *args, **keys), event, context)
        from lambdalog.instrument.plain import PlainRun

        run = PlainRun(named)
        if "context" in keys or len(args) <= first:
            keys["context"] = run.context
        else:
            args = (*args[: first + 1], run.context, *args[first + 2 :])
        return observer.run(functools.partial(function, *args, **keys), event, run.context, run.begin)

    # A callable object has no name of its own, and no __dict__ that would fit.
    functools.update_wrapper(wrapped, named, updated=("__dict__",) if hasattr(named, "__code__") else ())
    setattr(wrapped, MARK, True)
    return wrapped


def _class(found: Any, options: Options) -> Any:
    """A class whose instances are handlers: its __call__ is wrapped, where it stands."""
    call = found.__dict__.get("__call__")
    if call is None:
        raise TypeError(
            f"@handler wraps a class that defines __call__(self, event, context); {found.__name__} doesn't"
        )
    if not getattr(call, MARK, False) and not disabled():
        found.__call__ = wrap(call, Observer(found.__qualname__, options))
    return found


def in_lambda() -> bool:
    """Whether a Runtime API calls this process's handler: Lambda's, or `lambdalog invoke`'s."""
    return bool(os.environ.get("AWS_LAMBDA_RUNTIME_API"))


def _name(function: Any) -> str:
    return str(getattr(function, "__qualname__", None) or type(function).__qualname__)


def _offset(function: Any) -> int:
    """Where the event stands among the positional arguments: behind a method's self."""
    names = _names(function)
    if not names:
        return 0
    if names[0] in {"self", "cls"}:
        return 1
    owner = function.__qualname__.rpartition(".")[0]
    return 1 if len(names) >= 3 and owner and not owner.endswith("<locals>") else 0


def _names(function: Any) -> tuple[str, ...]:
    """The arguments that a function has still to be given by their place; of what isn't one, none."""
    code = getattr(function, "__code__", None)
    if code is None or getattr(function, "__self__", None) is not None:
        return ()
    return tuple(code.co_varnames[: code.co_argcount])
