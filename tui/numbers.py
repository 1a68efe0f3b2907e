"""Numbers as a person reads them at a glance: durations, shares, money."""

from __future__ import annotations

from typing import Final

_BLOCKS: Final = "▏▎▍▌▋▊▉█"


def duration_text(ms: float | None) -> str:
    """3.0 ms, 120 ms, 1.20 s, 2m 03s, 4h 10m; nothing for None."""
    if ms is None:
        return ""
    if ms < 9.95:
        return f"{ms:.1f} ms"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 59_995:
        return f"{ms / 1000:.2f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    if minutes < 60:
        return f"{minutes}m {seconds:02d}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,}h {minutes:02d}m"


def share_text(share: float) -> str:
    """0%, 0.4%, 12%, 100%: never 0 for what is more, nor 100 for what is less."""
    percent = share * 100
    if percent == 0:
        return "0%"
    if percent < 0.1:
        return "<0.1%"
    if percent < 9.95:
        return f"{percent:.1f}%"
    return f"{percent:.0f}%" if percent < 99.5 or percent == 100 else ">99%"


def count_text(count: int, noun: str) -> str:
    """1 queue, 2 queues, 1,200 queues."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def money_text(dollars: float) -> str:
    """$0, $0.0000123, $1.20, $1,200."""
    if dollars <= 0:
        return "$0"
    if dollars >= 100:
        return f"${dollars:,.0f}"
    if dollars >= 0.01:
        return f"${dollars:.2f}"
    return "$" + f"{dollars:.7f}".rstrip("0").rstrip(".") if dollars >= 0.00000005 else "<$0.0000001"


def bar_text(share: float, width: int) -> tuple[str, str]:
    """A bar of `width` cells as what is full and what is left; any share above nothing is seen."""
    eighths = max(round(min(max(share, 0), 1) * width * 8), 1 if share > 0 else 0)
    whole, part = divmod(eighths, 8)
    full = "█" * whole + (_BLOCKS[part - 1] if part else "")
    return full, "·" * (width - len(full))


def ago(ms: int) -> str:
    """How long ago, in the one unit that matters: 4s, 12m, 3h, 2d."""
    seconds = max(ms, 0) // 1000
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
