"""The dashboard's settings: a TOML file, checked field by field; docs/dashboard.md is made from what stands here."""

from __future__ import annotations

import os
import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lambdalog.errors import ConfigError
from lambdalog.prices import Prices
from tui.actions import checked_keymap
from tui.theme_names import DARK

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE: Final = "dashboard.toml"


def _said(help_text: str, default: Any, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"help": help_text, "low": low, "high": high})


@dataclass(frozen=True, slots=True)
class Settings:
    """How the dashboard looks and behaves."""

    theme: str = _said(
        "A theme by its name; `ctrl+t` shows them. `high-contrast` and `no-colour` are two.", DARK
    )
    frames_per_second: int = _said("How often new lines are drawn; less over a slow connection.", 15, 1, 60)
    history_lines: int = _said("How many lines are read at the start.", 5000, 100, 100_000)
    kept_lines: int = _said(
        "How many lines are kept in memory; older ones are read again.", 200_000, 1000, 5_000_000
    )
    kept_invocations: int = _said(
        "How many invocations are held on their screen, the newest; older ones are in the log.",
        5000,
        100,
        100_000,
    )
    wrap: bool = _said("Whether long lines are wrapped at the start.", default=False)
    utc: bool = _said("Whether times are in UTC rather than of this place.", default=False)
    mouse: bool = _said(
        "Whether the mouse is used; without it the terminal's own selection works.", default=True
    )
    restore_session: bool = _said(
        "Whether a start takes up screen, filter, groups and bookmarks.", default=True
    )
    context_lines: int = _said("How many lines are shown before and after one.", 20, 1, 500)
    price_gb_second_x86: float = _said(
        "What a GB-second costs on x86, US dollars; else `LAMBDALOG_PRICE_GB_SECOND`, else AWS's list price in us-east-1, first tier.",
        Prices().gb_second_x86,
        0.0,
    )
    price_gb_second_arm: float = _said(
        "What a GB-second costs on arm; else `LAMBDALOG_PRICE_GB_SECOND_ARM`.", Prices().gb_second_arm, 0.0
    )
    price_million_requests: float = _said(
        "What a million requests cost; else `LAMBDALOG_PRICE_MILLION_REQUESTS`.",
        Prices().million_requests,
        0.0,
    )
    keymap: dict[str, str] = field(
        default_factory=dict,
        metadata={"help": 'A table of actions and their keys, as in `[keymap]` / `"logs.pause" = "f2"`.'},
    )


def config_folder(environ: Mapping[str, str]) -> Path:
    """Where the settings file lies: $XDG_CONFIG_HOME/lambdalog."""
    return Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "lambdalog"


def state_folder(environ: Mapping[str, str]) -> Path:
    """Where sessions, copies and exports lie: $XDG_STATE_HOME/lambdalog."""
    return Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "lambdalog"


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """The user's settings; those of a new user where there is no file.

    LAMBDALOG_DASHBOARD_CONFIG names another file. Prices that it doesn't set are those that the environment does.
    ConfigError for a file that can't be read or used, with the field.
    """
    prices = {f"price_{name}": price for name, price in asdict(Prices.of(environ)).items()}
    named = environ.get("LAMBDALOG_DASHBOARD_CONFIG")
    path = Path(named) if named else config_folder(environ) / FILE
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named:
            raise ConfigError(f"{path}: no such settings file") from None
        return from_table(prices)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from None
    try:
        return from_table(prices | found)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def from_table(table: Mapping[str, Any]) -> Settings:
    """Settings from a TOML table. ConfigError for a field that isn't there, or a value that can't be."""
    known = {one.name: one for one in fields(Settings)}
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            raise ConfigError(f"there is no setting {name!r}; there are {', '.join(known)}")
        default = getattr(Settings(), name)
        wanted: Any = float if isinstance(default, float) else type(default)
        fits = isinstance(value, wanted) or (wanted is float and isinstance(value, int))
        if not fits or (isinstance(value, bool) and wanted is not bool):
            raise ConfigError(f"{name} is {value!r}; it has to be {_kind(wanted)}")
        low, high = known[name].metadata.get("low"), known[name].metadata.get("high")
        if (low is not None and value < low) or (high is not None and value > high):
            raise ConfigError(
                f"{name} is {value!r}; it has to be at least {low}" + (f" and at most {high}" if high else "")
            )
        values[name] = value
    if "keymap" in values:
        values["keymap"] = checked_keymap({name: str(keys) for name, keys in values["keymap"].items()})
    return Settings(**values)


def _kind(wanted: type) -> str:
    return {bool: "true or false", int: "a whole number", float: "a number", dict: "a table"}.get(
        wanted, "a text"
    )


def described() -> str:
    """The settings as a Markdown table."""
    rows = ["| setting | default | what it does |", "|---|---|---|"]
    for one in fields(Settings):
        default = getattr(Settings(), one.name)
        shown = "" if isinstance(default, dict) else f"`{default!r}`".replace("'", '"').lower()
        rows.append(f"| `{one.name}` | {shown} | {one.metadata['help']} |")
    return "\n".join(rows) + "\n"
