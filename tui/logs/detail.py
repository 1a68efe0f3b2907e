"""All of one line: its JSON laid out, its failure as a stack, or its text as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from rich.text import Text

from lambdalog.printable import printable
from tui.logs.format import clock_text, level_role, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.style import Style

    from lambdalog.tail import Line

# A megabyte laid out would stall the screen; the rest stays in the store.
REACH = 60_000


def _stack(failure: dict[str, object], text: Text, ink: Callable[[str], Style], lead: str = "") -> None:
    text.append(f"{lead}{printable(str(failure.get('type')))}", ink("error"))
    text.append(f": {printable(str(failure.get('message')))}\n")
    frames = failure.get("frames")
    for frame in frames if isinstance(frames, list) else []:
        text.append(f"  {printable(str(frame.get('file')))}:{frame.get('line')}", ink("rail"))
        text.append(f"  in {printable(str(frame.get('function')))}\n")
        if code := frame.get("code"):
            text.append(f"      {printable(str(code))}\n", "bold")
    causes = failure.get("causes")
    for cause in causes if isinstance(causes, list) else []:
        _stack(cause, text, ink, "caused by ")


def detail_text(line: Line, ink: Callable[[str], Style]) -> Text:
    """What the detail screen says of a line, in the theme's colours of `ink`; nothing in it is taken for markup or control."""
    text = Text()
    for name, value in (
        ("group", line.group),
        ("stream", line.stream),
        ("time", f"{clock_text(line.timestamp)}  (arrived {line.ingestion - line.timestamp:+d} ms)"),
        ("level", level_role(line.message)),
    ):
        text.append(f"{name:<8}", "bold")
        text.append(printable(value) + "\n")
    text.append("\n")
    record = parse(line.message)
    if record is None:
        for part in line.message[:REACH].split("\n"):
            text.append(printable(part) + "\n")
        return text
    failure = record.pop("failure", None)
    if isinstance(failure, dict):
        _stack(failure, text, ink)
        if fingerprint := failure.get("fingerprint"):
            text.append(f"fingerprint {printable(str(fingerprint))}\n", "italic")
        text.append("\n")
    try:
        laid_out = orjson.dumps(record, option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONEncodeError:  # nested deeper than JSON is written
        laid_out = line.message
    for part in laid_out[:REACH].split("\n"):
        text.append(printable(part) + "\n")
    return text
