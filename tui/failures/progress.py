"""How far a replay or discard is, in one line. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from lambdalog.printable import printable

if TYPE_CHECKING:
    from tui.feed.failures import Step

BAR: Final = 24
_FULL, _EMPTY = "━", "─"
_GOOD: Final = frozenset({"acked", "resent", "discarded"})


def progress_text(verb: str, step: Step, colours: dict[str, str]) -> Text:
    """A bar, how many of how many, how they ended, and whether the canary came through."""
    filled = BAR * step.done // step.total if step.total else BAR
    good = all(state in _GOOD for state, count in step.counts.items() if count)
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f" {verb} ", "bold")
    text.append(_FULL * filled, colours["success"] if good else colours["warning"])
    text.append(_EMPTY * (BAR - filled), "dim")
    text.append(f" {step.done:,}/{step.total:,} ", "bold")
    for state, count in step.counts.items():
        text.append(f" {count:,} {state}", colours["success"] if state in _GOOD else colours["error"])
    if verb == "replay" and step.done == 1:
        came = "came through" if good else "failed"
        text.append(f"  the canary {came}", colours["success"] if good else colours["error"])
    if step.detail and step.state not in _GOOD:
        text.append(f"  {printable(step.detail)[:120]}", "dim")
    text.append("  Esc stops it", "dim")
    return text
