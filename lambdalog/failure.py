"""What a failure is, and the fingerprint that makes two failures the same.

Made inside functions by the decorator, and read back by the inbox from log lines, Lambda's error payloads and dead
letters. Standard library only: it lies on the handler's path.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

# Causes are followed this far; a cycle or a thousand of them say nothing more.
CAUSES_MAX: Final = 8
FRAMES_MAX: Final = 50

_LIBRARY: Final = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages|lib/python3(?:\.\d+)?|awslambdaric|lambdalog/instrument)/|^<"
)
_STACK: Final = re.compile(r'File "([^"]+)", line (\d+), in ([^\n]+)(?:\n\s*([^\n]+))?')
# What differs between two occurrences of one failure: quoted values, ids, numbers.
_VARIABLE: Final = re.compile(
    r"'[^']*'|\"[^\"]*\"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\b0x[0-9a-fA-F]+\b"
    r"|\b(?=[\w-]*\d)[\w-]+\b|\d+(?:\.\d+)?|\S+@\S+|\w+://\S+"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One call of a stack: file, line, function, the line's code."""

    file: str
    line: int
    function: str
    code: str | None = None
    local: Mapping[str, str] | None = None

    def record(self) -> dict[str, Any]:
        """The frame as JSON."""
        record: dict[str, Any] = {"file": self.file, "line": self.line, "function": self.function}
        if self.code is not None:
            record["code"] = self.code
        if self.local:
            record["locals"] = dict(self.local)
        return record


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an invocation failed. `frames` are innermost last; `causes` the exceptions that led to it, nearest first."""

    type: str
    message: str
    fingerprint: str
    frames: tuple[Frame, ...] = ()
    causes: tuple[Failure, ...] = field(default=())

    def record(self) -> dict[str, Any]:
        """What stands under `failure` in a log line."""
        record: dict[str, Any] = {
            "type": self.type,
            "message": self.message,
            "fingerprint": self.fingerprint,
            "frames": [frame.record() for frame in self.frames],
        }
        if self.causes:
            record["causes"] = [cause.record() for cause in self.causes]
        return record


def fingerprint(type_: str, message: str, frames: Sequence[Frame]) -> str:
    """16 hex digits: the type and where the function's own code was, or the message without what varies.

    Lines don't count, nor folders: moving code, or deploying it elsewhere, leaves a failure the same.
    """
    own = [frame for frame in frames if not _LIBRARY.search(frame.file)]
    parts = [type_]
    if own:
        parts += [f"{frame.file.replace(chr(92), '/').rpartition('/')[2]}:{frame.function}" for frame in own]
    else:
        parts.append(_VARIABLE.sub("*", message))
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def from_exception(error: BaseException) -> Failure:
    """The failure that an exception is, with its causes."""
    first, *causes = [_one(found) for found in _chain(error)]
    return Failure(first.type, first.message, first.fingerprint, first.frames, tuple(causes))


def from_record(record: Mapping[str, Any]) -> Failure:
    """The failure in a log line, as `record` put it there; missing parts are empty."""
    frames = tuple(_frame(found) for found in _items(record.get("frames")))
    type_, message = str(record.get("type") or "Unknown"), str(record.get("message") or "")
    causes = tuple(from_record(found) for found in _items(record.get("causes"))[:CAUSES_MAX])
    return Failure(
        type_, message, str(record.get("fingerprint") or fingerprint(type_, message, frames)), frames, causes
    )


def from_lambda_error(payload: Mapping[str, Any]) -> Failure:
    """The failure in an error payload: errorType, errorMessage, stackTrace."""
    type_, message = str(payload.get("errorType") or "Unknown"), str(payload.get("errorMessage") or "")
    stack = payload.get("stackTrace")
    text = "\n".join(map(str, stack)) if isinstance(stack, list) else str(stack or "")
    frames = tuple(
        Frame(file, int(line), function.strip(), code.strip() or None if code else None)
        for file, line, function, code in _STACK.findall(text)
    )
    return Failure(type_, message, fingerprint(type_, message, frames), frames)


def from_dead_letter(error_code: str, error_message: str) -> Failure:
    """The failure that a dead letter tells of, which names no type: judged from the text."""
    if "Task timed out after" in error_message:
        type_ = "Sandbox.Timedout"
    elif "Runtime exited" in error_message:
        type_ = "Runtime.ExitError"
    elif error_message.startswith("Unable to import module"):
        type_ = "Runtime.ImportModuleError"
    elif error_code == "429":
        type_ = "TooManyRequestsException"
    else:
        type_ = "Unknown"
    message = re.sub(r"^RequestId: \S+ (?:Error: )?", "", error_message)
    return Failure(type_, message, fingerprint(type_, message, ()))


def _one(error: BaseException) -> Failure:
    frames = tuple(_frames(error.__traceback__))
    type_, message = type(error).__qualname__, _message(error)
    return Failure(type_, message, fingerprint(type_, message, frames), frames)


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 - a failure is told even where its text can't be
        return f"<{type(error).__qualname__}: str() raised {type(broken).__name__}>"


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen and len(seen) <= CAUSES_MAX:
        seen.add(id(found))
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _frames(traceback: TracebackType | None) -> Iterable[Frame]:
    import linecache

    found = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not _LIBRARY.search(code.co_filename) or code.co_filename.find("site-packages") >= 0:
            text = linecache.getline(code.co_filename, traceback.tb_lineno).strip()
            found.append(Frame(code.co_filename, traceback.tb_lineno, code.co_name, text or None))
        traceback = traceback.tb_next
    return found[-FRAMES_MAX:]


def _frame(record: Mapping[str, Any]) -> Frame:
    line = record.get("line")
    code = record.get("code")
    return Frame(
        str(record.get("file")),
        line if isinstance(line, int) else 0,
        str(record.get("function")),
        None if code is None else str(code),
    )


def _items(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
