"""The styles of log lines, made once from the theme: by role, never resolved line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

from rich.style import Style

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUP_COLOURS: Final = ("accent", "secondary", "success", "primary", "warning")


def group_role(group: str) -> str:
    """The role of a group's name: the same colour wherever it is shown."""
    return f"group{crc32(group.encode('utf-8', 'replace')) % len(GROUP_COLOURS)}"


def palette(colours: Mapping[str, str], *, dark: bool, plain: bool) -> dict[str, Style]:
    """Role → style. `plain` has no colours at all: weight, underline and reverse tell what colours would."""
    if plain:
        return _plain()
    background = colours["background"]
    text = Style(color=colours["foreground"], bgcolor=background)
    quiet = Style(
        color=colours.get("text-disabled-solid", "#7f8799" if dark else "#69707f"), bgcolor=background
    )
    styles = {
        "base": text,
        "message": text,
        "time": quiet,
        "platform": quiet,
        "plain": quiet,
        "quiet": quiet,
        "head": quiet + Style(bold=True),
        "strong": text + Style(bold=True),
        "key": Style(color="#7f9cc5" if dark else "#33568a", bgcolor=background),
        "value": Style(color="#b9c4d6" if dark else "#3a3f4b", bgcolor=background),
        "number": Style(color=colours["accent"], bgcolor=background),
        "debug": quiet,
        "info": Style(color=colours["success"], bgcolor=background),
        "live": Style(color=colours["success"], bgcolor=background, bold=True),
        "warn": Style(color=colours["warning"], bgcolor=background, bold=True),
        "error": Style(color=colours["error"], bgcolor=background, bold=True),
        "fatal": Style(color=background, bgcolor=colours["error"], bold=True),
        "cursor": Style(bgcolor=colours["surface-lighten-1"] if dark else colours["surface-darken-1"]),
        "row": Style(bgcolor=colours.get("primary-muted") or colours["panel"]),
        "mark": Style(color=colours["warning"], bgcolor=background, bold=True),
        "note": Style(color=colours["warning"], bgcolor=background, italic=True),
        "rail": Style(color=colours["primary"], bgcolor=background),
        "found": Style(color=background, bgcolor=colours["warning"]),
        "thumb": Style(color=colours["primary"], bgcolor=background),
        "track": Style(color=colours["surface"], bgcolor=background),
        "track-error": Style(color=colours["error"], bgcolor=background),
    }
    for index, name in enumerate(GROUP_COLOURS):
        styles[f"group{index}"] = Style(color=colours[name], bgcolor=background)
    return styles


def _plain() -> dict[str, Style]:
    text, bold = Style(), Style(bold=True)
    styles = dict.fromkeys(
        (
            "base",
            "message",
            "time",
            "platform",
            "plain",
            "quiet",
            "value",
            "number",
            "debug",
            "info",
            "track",
        ),
        text,
    )
    styles |= {
        "key": Style(underline=True),
        "head": Style(bold=True, underline=True),
        "strong": bold,
        "warn": bold,
        "live": bold,
        "error": Style(bold=True, reverse=True),
        "fatal": Style(bold=True, reverse=True, underline=True),
        "cursor": Style(reverse=True),
        "row": Style(reverse=True),
        "mark": bold,
        "note": Style(italic=True),
        "rail": text,
        "found": Style(reverse=True),
        "thumb": bold,
        "track-error": Style(bold=True, reverse=True),
    }
    styles |= {f"group{index}": bold for index in range(len(GROUP_COLOURS))}
    return styles
