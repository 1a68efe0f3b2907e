"""A function as it lies in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambdalog.errors import ConfigError
from lambdalog.runtime.project import is_path, read_project

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a handler's file and no settings."""
    folder = tmp_path / "resize"
    folder.mkdir()
    (folder / "app.py").write_text("")
    (folder / "other.py").write_text("")
    return folder


def test_a_file_names_its_function(folder: Path) -> None:
    """Without settings everything follows from the path."""
    project = read_project(f"{folder}/app.py:main")
    assert (project.name, project.handler, project.folder) == ("resize", "app.main", folder)
    assert project.dead_letter_queue == "resize-dlq"
    assert read_project(f"{folder}/other.py").handler == "other.handler"
    assert read_project(f"{folder}/other.py").name == "other"


def test_settings_come_from_the_file_beside_it(folder: Path) -> None:
    """lambdalog.toml sets what it names."""
    (folder / "lambdalog.toml").write_text(
        '[function]\nname = "pics"\nhandler = "app.go"\ntimeout = 9\ndead_letter = "d"\n[function.environment]\nA = "b"\n'
    )
    project = read_project(str(folder))
    assert (project.name, project.handler, project.timeout, project.environment) == (
        "pics",
        "app.go",
        9,
        {"A": "b"},
    )
    assert project.dead_letter_queue == "d"
    assert read_project(f"{folder}/app.py:other").handler == "app.other"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[function\n", "line 1"),
        ("[function]\nmemry = 1\n", "no setting 'memry'"),
        ('[function]\ntimeout = "3"\n', "timeout can't be '3'"),
        ("[function]\ntimeout = true\n", "timeout can't be True"),
        ("[function.environment]\nA = 1\n", "texts, in quotes"),
    ],
)
def test_bad_settings_are_one_clear_error(folder: Path, text: str, what: str) -> None:
    """The error names the file and the setting."""
    (folder / "lambdalog.toml").write_text(text)
    with pytest.raises(ConfigError, match=what) as info:
        read_project(f"{folder}/app.py")
    assert "lambdalog.toml" in str(info.value)


def test_what_is_not_there(tmp_path: Path, folder: Path) -> None:
    """A missing file, and a folder that names no handler, say what to write."""
    with pytest.raises(ConfigError, match="there is no file"):
        read_project(str(tmp_path / "none.py:handler"))
    with pytest.raises(ConfigError, match="no lambdalog.toml that names a handler".replace(".", "[.]")):
        read_project(str(folder))


@pytest.mark.parametrize(
    ("target", "expected"),
    [("orders", False), ("a/b", True), ("app.py", True), ("app.py:main", True), (".", True)],
)
def test_a_target_is_a_path_or_a_name(target: str, expected: bool) -> None:
    """Names of functions are told from paths."""
    assert is_path(target) is expected
