"""Failures as Lambda and its runtimes report them, with their stacks: Python, Node.js, Java, Ruby, .NET, Go.

Only readers of logs and dead letters come here; a function on its way doesn't.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from lambdalog.failure import CAUSES_MAX, FRAMES_MAX, Failure, Frame, cut, fingerprint, tells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# How Lambda and its runtimes introduce what went wrong, which tells of one request and not of the failure.
_PREFIX: Final = re.compile(r"^(?:RequestId: \S+ (?:Error: )?|\d{4}-\d\d-\d\dT\S+Z [0-9a-f-]{36} )")
_PYTHON: Final = re.compile(r'File "([^"]+)", line (\d+), in ([^\n]+)(?:\n\s*([^\n]+))?')
# These tell the innermost call first.
_NODE: Final = re.compile(r"at (?:async )?(?:(.*?) \()?(?:file://)?([^()\s]+):(\d+):\d+\)?$")
_JAVA: Final = re.compile(r"(?:at )?([\w.$<>/]+)\(([\w$]+\.(?:java|kt|scala|groovy)):(\d+)\)$")
_DOTNET: Final = re.compile(r"at (.+?\)) in (.+):line (\d+)$")
_RUBY: Final = re.compile(r"(.+?\.rb):(\d+):in [`'](.+)'$")
# What is read of a stack that somebody made to be long.
_ITEMS_MAX: Final = 500
_TEXT_MAX: Final = 200_000
# No runtime's line is longer; a form takes the square of what it is tried on.
_LINE_MAX: Final = 1000


def from_lambda_error(payload: Mapping[str, Any]) -> Failure:
    """The failure in an error payload of any runtime: errorType, errorMessage, stackTrace (or stack, trace, cause)."""
    return _from_lambda_error(payload, 0)


def _from_lambda_error(payload: Mapping[str, Any], depth: int) -> Failure:
    type_ = str(payload.get("errorType") or "Unknown")
    message = cut(_PREFIX.sub("", str(payload.get("errorMessage") or "")))
    frames = frames_of(
        next((payload[name] for name in ("stackTrace", "stack", "trace") if payload.get(name)), ())
    )
    cause = payload.get("cause")
    # Java tells causes, one within the other.
    causes = (_from_lambda_error(cause, depth + 1),) if isinstance(cause, dict) and depth < CAUSES_MAX else ()
    return Failure(type_, message, fingerprint(type_, message, frames), frames, causes)


def from_text(text: str) -> Failure | None:
    """The failure that a line of a log in Lambda's text format tells of; None if it tells of none.

    Python: `[ERROR] Type: message` and a traceback. Node.js: `… ERROR Invoke Error {"errorType": …}`.
    """
    if text.startswith("[ERROR] "):
        head, _, stack = text[8:].replace("\r", "\n").partition("\nTraceback (most recent call last):")
        type_, colon, message = head.partition(":")
        if not re.fullmatch(r"[A-Za-z_][\w.]*", type_):
            return None
        message = cut(message.strip()) if colon else ""
        frames = frames_of(stack)
        return Failure(type_, message, fingerprint(type_, message, frames), frames)
    _, mark, payload = text.partition("\tERROR\tInvoke Error \t")
    if mark:
        try:
            found = json.loads(payload)
        except ValueError:
            return None
        return from_lambda_error(found) if isinstance(found, dict) and "errorType" in found else None
    return None


def from_dead_letter(error_code: str, error_message: str) -> Failure:
    """The failure that a dead letter tells of, which names no type: judged from the text."""
    message = _PREFIX.sub("", error_message)
    if message.startswith("Task timed out after"):
        type_ = "Sandbox.Timedout"
    elif message.startswith("Runtime exited"):
        type_ = "Runtime.ExitError"
    elif message.startswith("Unable to import module"):
        type_ = "Runtime.ImportModuleError"
    elif error_code == "429":
        type_ = "TooManyRequestsException"
    else:
        type_ = "Unknown"
    return Failure(type_, message, fingerprint(type_, message, ()))


def frames_of(stack: Any) -> tuple[Frame, ...]:
    """The frames of `stackTrace`, `stack` or `trace` of an error payload, or of a printed stack; innermost last.

    Lines that no runtime prints are passed over.
    """
    if isinstance(stack, list) and any(isinstance(item, dict) for item in stack):
        return _inner_last([_go(item) for item in stack[:_ITEMS_MAX] if isinstance(item, dict)])
    parts = stack[:_ITEMS_MAX] if isinstance(stack, list) else [stack]
    # What Lambda logs as one event has \r for \n in some runtimes.
    text = "\n".join(str(part) for part in parts if part)[:_TEXT_MAX].replace("\r", "\n")
    frames = [
        Frame(file, _number(line), function.strip(), code.strip() or None if code else None)
        for file, line, function, code in _PYTHON.findall(text)
    ]
    if frames:
        # How Lambda came to the code is left out, unless there is nothing else.
        own = [frame for frame in frames if tells(frame.file)]
        return tuple((own or frames)[-FRAMES_MAX:])
    return _inner_last(list(_others(text)))


def _others(text: str) -> Iterator[Frame]:
    for line in map(str.strip, text.split("\n")):
        if len(line) > _LINE_MAX:
            continue
        for form, make in _FORMS:
            found = form.match(line)
            if found is not None:
                yield make(found)
                break


_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Frame]], ...]] = (
    (_NODE, lambda found: Frame(found[2], _number(found[3]), found[1] or "<anonymous>")),
    (_JAVA, lambda found: Frame(_java_file(found), _number(found[3]), found[1].rpartition(".")[2])),
    (_DOTNET, lambda found: Frame(found[2], _number(found[3]), found[1])),
    (_RUBY, lambda found: Frame(found[1], _number(found[2]), found[3])),
)


def _java_file(found: re.Match[str]) -> str:
    """`com.example.Handler.handle(Handler.java:7)` lies in com/example/Handler.java."""
    package = found[1].rpartition(".")[0].rpartition(".")[0].rpartition("/")[2]
    return f"{package.replace('.', '/')}/{found[2]}" if package else found[2]


def _go(item: dict[str, Any]) -> Frame:
    return Frame(str(item.get("path", "")), _number(item.get("line")), str(item.get("label", "")))


def _inner_last(frames: list[Frame]) -> tuple[Frame, ...]:
    return tuple(reversed(frames[:FRAMES_MAX]))


def _number(value: Any) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
