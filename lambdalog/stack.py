"""Stacks as the runtimes of Lambda print them, read into frames: Python, Node.js, Java, Ruby, .NET, Go.

Only readers of logs and dead letters come here; a function on its way doesn't.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from lambdalog.failure import FRAMES_MAX, Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PYTHON: Final = re.compile(r'File "([^"]+)", line (\d+), in ([^\n]+)(?:\n\s*([^\n]+))?')
# These tell the innermost call first.
_NODE: Final = re.compile(r"^\s*at (?:async )?(?:(.*?) \()?(?:file://)?([^()\s]+):(\d+):\d+\)?\s*$")
_JAVA: Final = re.compile(r"^\s*(?:at )?([\w.$<>/]+)\(([\w$]+\.(?:java|kt|scala|groovy)):(\d+)\)\s*$")
_DOTNET: Final = re.compile(r"^\s*at (.+?\)) in (.+):line (\d+)\s*$")
_RUBY: Final = re.compile(r"^\s*(.+?\.rb):(\d+):in [`'](.+)'\s*$")
# What is read of a stack that somebody made to be long.
_ITEMS_MAX: Final = 500
_TEXT_MAX: Final = 200_000


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
        return tuple(frames[-FRAMES_MAX:])
    return _inner_last(list(_others(text)))


def _others(text: str) -> Iterator[Frame]:
    for line in text.split("\n"):
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
