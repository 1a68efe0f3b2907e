"""The decorator, as Lambda calls it."""

from __future__ import annotations

import functools
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from lambdalog import get_logger, handler
from tests.unit.instrument.heard import Context

log = get_logger()


@pytest.fixture(autouse=True)
def _as_in_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process looks like Lambda's unless a test says otherwise."""
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")


@handler
def good(event: Any, context: Any) -> str:
    """Answers."""
    log.info("charging", order_id=event["id"])
    return "done"


@handler
def bad(event: Any, context: Any) -> None:
    """Fails."""
    raise ValueError("no order")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was written."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_lines_carry_their_invocation(capsys: pytest.CaptureFixture[str]) -> None:
    """Request id, function, version and cold start are in every line, and only while it runs."""
    assert good({"id": "o-1"}, Context()) == "done"
    log.info("outside")
    inside, outside = lines(capsys)
    assert (inside["requestId"], inside["function"], inside["version"]) == ("req-1", "orders", "7")
    assert inside["order_id"] == "o-1"
    assert isinstance(inside["coldStart"], bool)
    assert "requestId" not in outside


def test_keys_of_an_invocation_end_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    """What one invocation bound is not in the next one's lines."""

    @handler
    def binds(event: Any, context: Any) -> None:
        if event:
            log.bind_invocation(customer="ada")
        log.info("x")

    binds({"a": 1}, Context())
    binds({}, Context())
    first, second = lines(capsys)
    assert first["customer"] == "ada"
    assert "customer" not in second
    assert second["coldStart"] is False


def test_a_failure_is_told_and_raised(capsys: pytest.CaptureFixture[str]) -> None:
    """The exception comes through unchanged; the line has its type, text, fingerprint and frames."""
    with pytest.raises(ValueError, match="no order"):
        bad({}, Context())
    (line,) = lines(capsys)
    assert (line["level"], line["message"]) == ("ERROR", "ValueError: no order")
    assert (line["errorType"], line["errorMessage"]) == ("ValueError", "no order")
    assert len(line["failure"]["fingerprint"]) == 16
    assert [frame["function"] for frame in line["failure"]["frames"]][-1] == "bad"


def test_a_handler_stays_what_it_was() -> None:
    """Name, docstring and signature are kept, and wrapping twice is wrapping once."""
    assert good.__name__ == "good"
    assert good.__doc__ == "Answers."
    assert list(inspect.signature(good).parameters) == ["event", "context"]
    assert handler(good) is good
    assert handler()(good) is good


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the kill switch set, the decorator gives the function back."""
    monkeypatch.setenv("LAMBDALOG_DISABLED", "1")

    def plain(event: Any, context: Any) -> None:
        """Nothing."""

    assert handler(plain) is plain


def test_a_context_of_none_works(capsys: pytest.CaptureFixture[str]) -> None:
    """Code that calls its handler with no context gets its answer."""
    assert good({"id": "o-1"}, None) == "done"
    assert lines(capsys)[0]["requestId"] is None


# --- what can be wrapped


def calls(found: Any, *args: Any, **keys: Any) -> Any:
    """Call whatever it is."""
    return found(*args, **keys)


class Shop:
    """Handlers as methods."""

    @handler
    def method(this, event: Any, context: Any) -> Any:  # noqa: N805 - not everybody says self
        """Of an instance."""
        log.info("x")
        return (type(this), event, context.aws_request_id)

    @handler
    @classmethod
    def of_class(cls, event: Any, context: Any) -> Any:
        """Of the class."""
        return (cls, event, context.aws_request_id)

    @staticmethod
    @handler
    def static(event: Any, context: Any) -> Any:
        """Of nobody."""
        return (event, context.aws_request_id)


@handler
class Callable_:  # noqa: N801 - a class that is a handler
    """Instances are handlers."""

    def __call__(self, event: Any, context: Any) -> Any:
        """Handle."""
        log.info("x")
        return event


class Plain:
    """Instances may be wrapped."""

    def __call__(self, event: Any, context: Any) -> Any:
        """Handle."""
        log.info("x")
        return event


def test_methods_classes_and_objects_are_handlers(capsys: pytest.CaptureFixture[str]) -> None:
    """Each is called with its event and context, and its lines have the request's id."""
    context = Context()
    assert calls(Shop().method, 1, context) == (Shop, 1, "req-1")
    assert calls(Shop().method, event=1, context=context) == (Shop, 1, "req-1")
    assert calls(Shop.of_class, 1, context) == (Shop, 1, "req-1")
    assert calls(Shop.static, 1, context) == (1, "req-1")
    assert isinstance(Callable_(), Callable_)
    assert calls(Callable_(), 1, context) == 1
    assert calls(handler(Plain()), 1, context) == 1
    assert calls(handler(functools.partial(Plain().__call__)), 1, context) == 1
    assert [line["requestId"] for line in lines(capsys)] == ["req-1"] * 5


def test_it_wraps_once_however_often_it_is_applied(capsys: pytest.CaptureFixture[str]) -> None:
    """Directly, under other decorators, called by another handler: one invocation, one failure told."""

    def other(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any, **keys: Any) -> Any:
            return function(*args, **keys)

        return wrapper

    def careless(function: Any) -> Any:
        return lambda event, context: function(event, context)  # noqa: PLW0108 - as careless decorators do

    def fail(event: Any, context: Any) -> None:
        raise ValueError("once")

    for wrapped in (handler(other(handler(fail))), handler(careless(handler(fail))), handler(handler(fail))):
        with pytest.raises(ValueError, match="once"):
            calls(wrapped, {}, Context())
        assert [line["message"] for line in lines(capsys)] == ["ValueError: once"]


def test_wrong_arguments_are_the_functions_own_to_refuse() -> None:
    """Called with too few or too many, the TypeError is the one that the function gives."""
    for args in ((), (1, 2, 3, 4)):
        with pytest.raises(TypeError, match=r"good\(\)"):
            calls(good, *args)


def test_the_original_stays_in_reach() -> None:
    """__wrapped__ is the user's function, and it can be pickled by name as before."""
    original: Any = good
    assert original.__wrapped__.__code__.co_name == "good"
    assert original.__module__ == __name__
    assert original.__wrapped__({"id": 1}, None) == "done"


@pytest.mark.parametrize("what", ["text", 7, Path])
def test_what_is_no_handler_is_refused(what: Any) -> None:
    """Something that can't be called, or a class whose instances can't."""
    with pytest.raises(TypeError, match="@handler wraps"):
        handler(what)


def test_switched_off_a_class_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kill switch holds for every kind of handler; "0" is not set."""
    monkeypatch.setenv("LAMBDALOG_DISABLED", "1")

    class Bare(Plain):
        def __call__(self, event: Any, context: Any) -> Any:
            return event

    call = Bare.__call__
    assert handler(Bare).__call__ is call
    monkeypatch.setenv("LAMBDALOG_DISABLED", "0")
    assert handler(Bare).__call__ is not call


def test_the_decorator_in_a_handlers_place_says_so() -> None:
    """A function's handler setting that names the imported `handler` is told what to name."""
    with pytest.raises(TypeError, match="this is @handler itself, called with an event"):
        handler({"id": 1}, None)  # type: ignore[call-overload]


def test_what_is_raised_has_few_frames_of_ours() -> None:
    """Lambda's answer and a test's report show a stack: two frames stand above the user's own, and pytest leaves them out."""
    with pytest.raises(ValueError, match="no order") as raised:
        bad({}, Context())
    *_, one, two, own = raised.traceback
    assert [entry.frame.f_locals.get("__tracebackhide__", False) for entry in (one, two, own)] == [
        True,
        True,
        False,
    ]
    assert own.name == "bad"
