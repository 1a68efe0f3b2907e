"""All about one version of a function as text: errors, cost, aliases with the failure rate of each side, configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from lambdalog.failures import sparkline
from lambdalog.prices import MONTH_MS
from lambdalog.printable import printable
from tui.functions.rows import NAME_MAX, price
from tui.numbers import bar_text, duration_text, money_text, share_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.style import Style

    from lambdalog.health import Health, Prices
    from tui.feed.functions import About
    from tui.functions.rows import Row

_LABEL: Final = 14
_BAR: Final = 10
ALIASES_MAX: Final = 50


def told(
    row: Row,
    about: About | None,
    health_of: Callable[[str], Health],
    prices: Prices,
    window_ms: int,
    styles: Mapping[str, Style],
) -> Text:
    """What the pane says; nothing in it is taken for markup or control. `health_of` is asked for a version's."""
    text = Text()
    health = row.health

    def said(label: str, *parts: tuple[str, str]) -> None:
        text.append(f"{label:<{_LABEL}}", styles["key"])
        for part, role in parts:
            text.append(part, styles[role])
        text.append("\n")

    runs, errors = zip(*health.trend, strict=True)
    said("runs", (sparkline(runs), "rail"), (f"  {health.invocations:,}", "strong"))
    kinds = " · ".join(f"{printable(kind[:60])} {count:,}" for kind, count in health.kinds)
    said(
        "errors",
        (sparkline(errors), "error" if health.errors else "quiet"),
        (f"  {health.errors:,}", "error" if health.errors else "quiet"),
        (f"  {kinds}" if kinds else "", "message"),
    )
    if health.invocations:
        said(
            "duration",
            (f"p50 {duration_text(health.p50)}   p95 {duration_text(health.p95)}", "message"),
            (f"   p99 {duration_text(health.p99)}", "message"),
        )
    if health.cold:
        said("cold start", (f"p50 {duration_text(health.init_p50)}", "number"), (f"   {health.cold:,} of {health.invocations:,}", "quiet"))  # fmt: skip
    if health.memory_mb:
        free = health.headroom or 0.0
        said("memory", (f"{health.max_memory_mb} of {health.memory_mb} MB", "message"), (f"   {share_text(free)} free", "quiet"))  # fmt: skip
    if health.invocations:
        paid = price(row, prices)
        said(
            "cost",
            (money_text(paid), "strong"),
            (f"   {money_text(paid * MONTH_MS / window_ms)} a month at this rate", "message"),
            (f"   {money_text(paid / health.invocations * 1_000_000)} a million", "quiet"),
        )
    if about is not None:
        _aliases(about, health_of, text, styles)
        if about.reserved is not None:
            said("reserved", (f"{about.reserved:,} at once", "warn" if not about.reserved else "message"))
    text.append("\n")
    if row.function is None:
        text.append("Only its log tells of it: no such function is configured here.\n", styles["quiet"])
        return text
    for label, value in configured(row.function.config):
        said(label, (printable(value[: NAME_MAX * 2]), "value"))
    if about is not None and about.tags:
        said(
            "tags",
            (printable(" ".join(f"{name}={value}" for name, value in about.tags.items())[:400]), "value"),
        )
    return text


def _aliases(
    about: About, health_of: Callable[[str], Health], text: Text, styles: Mapping[str, Style]
) -> None:
    for alias in about.aliases[:ALIASES_MAX]:
        label = printable(alias.name[:NAME_MAX])
        for number, (version, share) in enumerate(alias.sides):
            health = health_of(version)
            full, left = bar_text(share, _BAR)
            text.append(f"{label if not number else '':<{_LABEL - 2}}", styles["key"])
            text.append("→ ", styles["quiet"])
            text.append(f"{printable(version[:20]):<8}", styles["strong"])
            text.append(full, styles["rail"])
            text.append(left, styles["quiet"])
            text.append(f" {share_text(share):>5}", styles["message"])
            failed = f"   {share_text(health.error_share):>5} failed" if health.invocations else ""
            text.append(failed, styles["error" if health.errors else "info"])
            text.append(
                f" of {health.invocations:,}\n" if health.invocations else "   no runs\n", styles["quiet"]
            )
    if any(alias.more for alias in about.aliases):
        text.append(
            f"{'':<{_LABEL}}counted by version, through whatever name it was called\n", styles["quiet"]
        )


def configured(config: Mapping[str, object]) -> list[tuple[str, str]]:
    """The parts of a configuration that tell most, as pairs of texts."""

    def inner(name: str, key: str) -> object:
        found = config.get(name)
        return found.get(key) if isinstance(found, dict) else None

    variables = inner("Environment", "Variables")
    size = config.get("CodeSize")
    found = (
        ("handler", config.get("Handler")),
        ("runtime", config.get("Runtime")),
        ("memory size", f"{config.get('MemorySize')} MB"),
        ("timeout", f"{config.get('Timeout')} s"),
        ("architecture", " ".join(map(str, config.get("Architectures") or ()))),  # type: ignore[call-overload]
        ("environment", " ".join(variables) if isinstance(variables, dict) else None),
        ("dead letters", inner("DeadLetterConfig", "TargetArn")),
        ("log format", inner("LoggingConfig", "LogFormat")),
        ("code", f"{size:,} bytes" if isinstance(size, int) and size else None),
        ("changed", str(config.get("LastModified") or "")[:19]),
        ("description", config.get("Description")),
    )
    return [(label, str(value)) for label, value in found if value]
