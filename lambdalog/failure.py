"""What a failure is, and the fingerprint that makes two failures the same.

Made inside functions by the decorator, and read back by the inbox from log lines, Lambda's error payloads and dead
letters. Standard library only: it lies on the handler's path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType, TracebackType

# Causes are followed this far; a cycle or a thousand of them say nothing more.
CAUSES_MAX: Final = 8
# Of a group of exceptions this many are told, and groups within groups this deep.
MEMBERS_MAX: Final = 10
GROUPS_MAX: Final = 3
NOTES_MAX: Final = 10
# Of an endless recursion both ends are told: how it was entered, and where it broke.
FRAMES_MAX: Final = 50
_FIRST_FRAMES: Final = 10
TEXT_MAX: Final = 4000

# Between Lambda and the handler, wherever it is installed.
_RUNTIME_TEXT: Final = r"(?:^|/)(?:awslambdaric|lambdalog/instrument|lambdalog/runtime/workers|var/runtime)/"
_RUNTIME: Final = re.compile(_RUNTIME_TEXT)
_LIBRARY: Final = re.compile(
    _RUNTIME_TEXT + r"|(?:^|/)(?:site-packages|dist-packages|lib/python3(?:\.\d+)?|node_modules)/"
    r"|^(?:javax?|jdk|sun|com/amazonaws/services/lambda)/|^<|^node:"
)
# What the compiler makes of a comprehension differs between versions of Python.
_MADE: Final = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
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
    """Why an invocation failed. `frames` are innermost last; `causes` the exceptions that led to it, nearest first.

    `relation` is how a cause led on: "cause" (raise … from) or "context" (raised while it was handled). `members` are
    the exceptions of a group.
    """

    type: str
    message: str
    fingerprint: str
    frames: tuple[Frame, ...] = ()
    causes: tuple[Failure, ...] = field(default=())
    notes: tuple[str, ...] = ()
    members: tuple[Failure, ...] = field(default=())
    relation: str = ""

    def record(self) -> dict[str, Any]:
        """What stands under `failure` in a log line."""
        record: dict[str, Any] = {
            "type": self.type,
            "message": self.message,
            "fingerprint": self.fingerprint,
        }
        if self.relation:
            record["relation"] = self.relation
        if self.notes:
            record["notes"] = list(self.notes)
        record["frames"] = [frame.record() for frame in self.frames]
        if self.causes:
            record["causes"] = [cause.record() for cause in self.causes]
        if self.members:
            record["members"] = [member.record() for member in self.members]
        return record


def fingerprint(type_: str, message: str, frames: Sequence[Frame]) -> str:
    """16 hex digits: the type and where the function's own code was, or the message without what varies.

    Lines don't count, nor folders: moving code, or deploying it elsewhere, leaves a failure the same. Neither does the
    depth of a recursion.
    """
    return _digest(type_, message, [(frame.file, frame.function) for frame in frames])


def from_exception(
    error: BaseException, local: Callable[[FrameType], Mapping[str, str]] | None = None
) -> Failure:
    """The failure that an exception is: notes, causes, the members of a group.

    `local` tells a frame's variables as texts; without it frames have none.
    """
    return _whole(error, local, 0)


def from_record(record: Mapping[str, Any]) -> Failure:
    """The failure in a log line, as `record` put it there; missing parts are empty."""
    return _from_record(record, 0)


def _from_record(record: Mapping[str, Any], depth: int) -> Failure:
    frames = tuple(_frame(found) for found in _items(record.get("frames")))
    type_, message = str(record.get("type") or "Unknown"), str(record.get("message") or "")
    # A line is anybody's text: nothing in it is followed without end.
    deeper = depth <= GROUPS_MAX
    causes = _items(record.get("causes"))[:CAUSES_MAX] if deeper else []
    members = _items(record.get("members"))[:MEMBERS_MAX] if deeper else []
    notes = record.get("notes")
    return Failure(
        type_,
        message,
        str(record.get("fingerprint") or fingerprint(type_, message, frames)),
        frames,
        tuple(_from_record(found, depth + 1) for found in causes),
        tuple(map(str, notes[:NOTES_MAX])) if isinstance(notes, list) else (),
        tuple(_from_record(found, depth + 1) for found in members),
        str(record.get("relation") or ""),
    )


def _digest(type_: str, message: str, places: Sequence[tuple[str, str]]) -> str:
    import hashlib

    own = [
        f"{file.replace(chr(92), '/').rpartition('/')[2]}:{function}"
        for file, function in places
        if function not in _MADE and not _of_library(file)
    ]
    parts = [type_, *(dict.fromkeys(own) if own else (_VARIABLE.sub("*", message),))]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def _whole(
    error: BaseException, local: Callable[[FrameType], Mapping[str, str]] | None, depth: int
) -> Failure:
    (_, first), *others = _chain(error)
    # Before its causes: variables are told as long as there is room for them, and its own say most.
    found = _one(first, local, depth)
    causes = tuple(_one(cause, local, depth, relation=how) for how, cause in others)
    return replace(found, causes=causes) if causes else found


def _one(
    error: BaseException,
    local: Callable[[FrameType], Mapping[str, str]] | None,
    depth: int,
    relation: str = "",
) -> Failure:
    steps = list(_steps(error.__traceback__))
    type_, message = type(error).__name__, _message(error)
    mark = _digest(type_, message, [(step[0].f_code.co_filename, step[0].f_code.co_name) for step in steps])
    if len(steps) > FRAMES_MAX:
        steps = steps[:_FIRST_FRAMES] + steps[_FIRST_FRAMES - FRAMES_MAX :]
    frames = _frames(steps, local)
    members: tuple[Failure, ...] = ()
    if isinstance(error, BaseExceptionGroup) and depth < GROUPS_MAX:
        members = tuple(_whole(member, local, depth + 1) for member in error.exceptions[:MEMBERS_MAX])
    return Failure(type_, message, mark, frames, notes=_notes(error), members=members, relation=relation)


def _message(error: BaseException) -> str:
    try:
        return cut(str(error))
    except Exception as broken:  # noqa: BLE001 - a failure is told even where its text can't be
        return f"<{type(error).__name__}: str() raised {type(broken).__name__}>"


def _notes(error: BaseException) -> tuple[str, ...]:
    notes = getattr(error, "__notes__", None)
    # Anyone may have put anything there.
    return tuple(cut(note) for note in notes[:NOTES_MAX] if type(note) is str) if type(notes) is list else ()


def cut(text: str) -> str:
    """A message as far as it is told."""
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}… ({len(text)} characters)"


def _chain(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    seen: set[int] = set()
    found: BaseException | None = error
    how = ""
    while found is not None and id(found) not in seen and len(seen) <= CAUSES_MAX:
        seen.add(id(found))
        yield how, found
        if found.__cause__ is not None:
            how, found = "cause", found.__cause__
        else:
            how, found = "context", None if found.__suppress_context__ else found.__context__


def _steps(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        if tells(traceback.tb_frame.f_code.co_filename):
            yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


# A process has some hundred files, and a stack goes through a few of them again and again.
@lru_cache(maxsize=1000)
def tells(file: str) -> bool:
    """Whether a frame of a file tells of a failure: the user's code and its libraries', not how Lambda came there."""
    return not _RUNTIME.search(file) and ("site-packages" in file or not _LIBRARY.search(file))


@lru_cache(maxsize=1000)
def _of_library(file: str) -> bool:
    """Whether a file is not the function's own code."""
    return _LIBRARY.search(file) is not None


def from_stack(
    type_: str,
    message: str,
    stack: Sequence[tuple[FrameType, int]],
    local: Callable[[FrameType], Mapping[str, str]] | None = None,
) -> Failure:
    """The failure of a thread that is stuck: its (frame, line), outermost first."""
    steps = [(frame, line) for frame, line in stack if tells(frame.f_code.co_filename)]
    mark = _digest(type_, message, [(frame.f_code.co_filename, frame.f_code.co_name) for frame, _ in steps])
    return Failure(type_, message, mark, _frames(steps[-FRAMES_MAX:], local))


def _frames(
    steps: Sequence[tuple[FrameType, int]], local: Callable[[FrameType], Mapping[str, str]] | None
) -> tuple[Frame, ...]:
    """Frames, innermost last; their variables are asked for from there, where it failed."""
    found = [_told(frame, line, local) for frame, line in reversed(steps)]
    found.reverse()
    return tuple(found)


def _told(frame: FrameType, line: int, local: Callable[[FrameType], Mapping[str, str]] | None) -> Frame:
    import linecache

    code = frame.f_code
    file = code.co_filename
    text = linecache.getline(file, line, frame.f_globals).strip()
    return Frame(
        file,
        line,
        code.co_name,
        text[:200] or None,
        local(frame) if local is not None and not _of_library(file) else None,
    )


def _frame(record: Mapping[str, Any]) -> Frame:
    line = record.get("line")
    code, local = record.get("code"), record.get("locals")
    return Frame(
        str(record.get("file")),
        line if isinstance(line, int) else 0,
        str(record.get("function")),
        None if code is None else str(code),
        {str(name): str(value) for name, value in local.items()}
        if isinstance(local, dict) and local
        else None,
    )


def _items(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
