"""docs/functions.md is true: its commands run in their order, its snippet works, its settings are read."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambdalog.cli import main
from lambdalog.runtime.project import read_project

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "functions.md").read_text(encoding="utf-8")


def blocks(language: str) -> Iterator[str]:
    """The page's fenced blocks of a language, in their order."""
    yield from re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_its_commands_and_snippets_run(
    tmp_path: Path, store_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """In a checkout, with nothing made before; each ends well."""
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAMBDALOG_STORE", f"disk:{store_path}")
    ran = 0
    for language, text in re.findall(r"```(sh|python)\n(.*?)```", PAGE, re.DOTALL):
        if language == "python":
            exec(compile(text, "functions.md", "exec"), {})
            assert "InvalidOrder" in capfd.readouterr().out
            continue
        for line in text.splitlines():
            if not line.startswith("lambdalog "):
                subprocess.run(shlex.split(line), check=True)
                continue
            monkeypatch.setattr(sys, "argv", shlex.split(line))
            with pytest.raises(SystemExit) as left:
                main()
            out, err = capfd.readouterr()
            assert (left.value.code or 0, err) == (0, ""), f"{line}\n{out}{err}"
            ran += 1
    assert ran > 30


def test_its_settings_are_read(tmp_path: Path) -> None:
    """The lambdalog.toml of the page is one."""
    (text,) = blocks("toml")
    (tmp_path / "lambdalog.toml").write_text(text)
    (tmp_path / "app.py").write_text("")
    found = read_project(str(tmp_path))
    assert (found.name, found.concurrency, found.environment) == ("orders", 5, {"TABLE": "orders"})
    assert os.fspath(found.folder) == str(tmp_path)
