"""The settings file: read, checked, refused with the field's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lambdalog.errors import ConfigError
from tui.settings import Settings, from_table, load

if TYPE_CHECKING:
    from pathlib import Path


def test_no_file_is_a_new_user(tmp_path: Path) -> None:
    """Without a settings file everything has its default."""
    assert load({"XDG_CONFIG_HOME": str(tmp_path)}) == Settings()


def test_a_file_is_read(tmp_path: Path) -> None:
    """The file in the configuration folder holds, keymap and all."""
    (tmp_path / "lambdalog").mkdir()
    (tmp_path / "lambdalog" / "dashboard.toml").write_text('utc = true\n[keymap]\n"logs.pause" = "f2"\n')
    found = load({"XDG_CONFIG_HOME": str(tmp_path)})
    assert found.utc is True
    assert found.keymap == {"logs.pause": "f2"}


def test_prices_are_the_environments_unless_the_file_sets_them(tmp_path: Path) -> None:
    """The dashboard goes by the same prices as the command line; its own file comes first."""
    environ = {
        "XDG_CONFIG_HOME": str(tmp_path),
        "LAMBDALOG_PRICE_GB_SECOND": "2",
        "LAMBDALOG_PRICE_MILLION_REQUESTS": "3",
    }
    assert load(environ) == Settings(price_gb_second_x86=2.0, price_million_requests=3.0)
    (tmp_path / "lambdalog").mkdir()
    (tmp_path / "lambdalog" / "dashboard.toml").write_text("price_gb_second_x86 = 1\n")
    assert load(environ) == Settings(price_gb_second_x86=1, price_million_requests=3.0)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"thme": "x"}, "no setting 'thme'"),
        ({"wrap": 1}, "true or false"),
        ({"frames_per_second": 0}, "at least 1"),
        ({"frames_per_second": True}, "a whole number"),
        ({"keymap": {"nothing": "x"}}, "no action"),
    ],
)
def test_what_is_refused(table: dict[str, Any], said: str) -> None:
    """A wrong field or value is named, with what it has to be."""
    with pytest.raises(ConfigError, match=said):
        from_table(table)


def test_a_named_file_has_to_be_there(tmp_path: Path) -> None:
    """A file that the environment names and that isn't there is an error, not a new user."""
    with pytest.raises(ConfigError, match="no such settings file"):
        load({"LAMBDALOG_DASHBOARD_CONFIG": str(tmp_path / "none.toml")})
