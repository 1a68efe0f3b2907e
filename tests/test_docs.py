"""The documentation is true: its commands run, its snippets work, its generated pages are current."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambdalog.query.insights import Run, aggregates, functions, read

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The README's fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("lambdalog ")]
# What ends with status 1 because it is to show a failure.
FAILS = {"lambdalog replay orders-dlq --yes"}
# A worker waits as long as Lambda does: three minutes. Its rules are tested on a manual clock.
SLOW = {"lambdalog worker --drain"}


def test_each_command_of_the_readme_runs(tmp_path: Path, store_path: Path) -> None:
    """In their order, in a checkout, on a new store."""
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    environment = os.environ | {"LAMBDALOG_STORE": f"disk:{store_path}"}
    assert len(COMMANDS) > 8
    for line in COMMANDS:
        arguments = [sys.executable, "-m", *shlex.split(line)]
        if line in SLOW:
            quick = "import lambdalog\nwith lambdalog.connect() as c: c.client('lambda').worker(delay_scale=0).drain()"
            arguments = [sys.executable, "-c", quick]
        done = subprocess.run(
            arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == (1 if line in FAILS else 0), f"{line}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("code", blocks("python"))
def test_each_snippet_of_the_readme_runs(code: str, tmp_path: Path) -> None:
    """As a file of its own, in an empty folder."""
    (tmp_path / "snippet.py").write_text(code)
    call = "import snippet\nif hasattr(snippet, 'process'): assert snippet.process({'id': 'o-1'}) == {'charged': 'o-1'}"
    subprocess.run([sys.executable, "-c", call], cwd=tmp_path, env=dict(os.environ), check=True)


@pytest.mark.skipif(
    not (ROOT / ".venv" / "run.stamp").exists(), reason="this is no environment that make made"
)
def test_make_demo_runs_the_demo() -> None:
    """`make demo` in a checkout that is set up: headless, with a table, and a store that agrees."""
    done = subprocess.run(
        ["make", "--no-print-directory", "demo", "ARGS=--headless 4"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "The store holds what the table says." in done.stdout
    assert "payments" in done.stdout


LOGS = (ROOT / "docs" / "logs.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", re.findall(r"```insights\n(.*?)```", LOGS, re.DOTALL)[0].splitlines())
def test_each_query_of_the_logs_page_can_be_asked(text: str, cloud: Cloud) -> None:
    """It is read, and evaluated over a store."""
    cloud.logs.create_log_group(logGroupName="g")
    assert cloud.store is not None
    for _ in Run(read(text), cloud.store, ["g"], start=None, end=None).rows():
        pytest.fail("there is nothing to be found")


def test_the_logs_page_names_what_there_is() -> None:
    """Every function and aggregate of the language is on the page."""
    words = {word.lower() for word in re.findall(r"`(\w+)`", LOGS)}
    missing = (functions.NAMES | aggregates.NAMES.keys()) - words
    assert missing == {"median", "percentile"}  # other names of pct


TAILS = re.findall(r"```sh\n(.*?)```", LOGS, re.DOTALL)[0].splitlines()


def test_each_tail_of_the_logs_page_runs(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a store with these groups; every option of the command is spoken of."""
    from click.testing import CliRunner

    from lambdalog.cli.tail import command

    assert cloud.root is not None
    for name in ("orders", "payments", "stock"):
        cloud.logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
    monkeypatch.setenv("LAMBDALOG_STORE", f"disk:{cloud.root}")
    assert len(TAILS) > 5
    for line in TAILS:
        done = CliRunner().invoke(command, shlex.split(line)[2:])
        assert (done.exit_code, done.output) == (0, ""), line
    named = [option for parameter in command.params for option in parameter.opts if option.startswith("--")]
    assert [option for option in named if option != "--store" and option not in LOGS] == [
        "--follow",
        "--live",
    ]


def test_each_snippet_of_the_logs_page_runs(tmp_path: Path) -> None:
    """As a file of its own, in an empty folder."""
    (code,) = re.findall(r"```python\n(.*?)```", LOGS, re.DOTALL)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=dict(os.environ), check=True)


FAILURES = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")


def test_each_command_of_the_failures_page_runs(tmp_path: Path, store_path: Path) -> None:
    """In their order, in a checkout, on a new store; a replay of what isn't repaired fails again, and says so."""
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    environment = os.environ | {"LAMBDALOG_STORE": f"disk:{store_path}"}
    commands = [
        line for block in re.findall(r"```sh\n(.*?)```", FAILURES, re.DOTALL) for line in block.splitlines()
    ]
    assert len(commands) > 12
    for line in commands:
        arguments = [sys.executable, "-m", *shlex.split(line)]
        if line in SLOW:
            quick = "import lambdalog\nwith lambdalog.connect() as c: c.client('lambda').worker(delay_scale=0).drain()"
            arguments = [sys.executable, "-c", quick]
        done = subprocess.run(
            arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == (1 if "--to orders --yes" in line else 0), (
            f"{line}\n{done.stdout}{done.stderr}"
        )
        assert "Traceback" not in done.stderr


def test_each_snippet_of_the_failures_page_runs(tmp_path: Path) -> None:
    """As a file of its own, in an empty folder."""
    (code,) = re.findall(r"```python\n(.*?)```", FAILURES, re.DOTALL)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=dict(os.environ), check=True)


TESTING = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")


def test_the_tests_of_the_testing_page_pass(tmp_path: Path) -> None:
    """Its files, as a user has them, run by pytest; its script, by Python."""
    *files, script, with_moto = re.findall(r"```python\n(.*?)```", TESTING, re.DOTALL)
    for text in files:
        (tmp_path / text.split()[1]).write_text(text)
    (tmp_path / "script.py").write_text(script)
    (tmp_path / "with_moto.py").write_text(with_moto)
    for arguments in (["-m", "pytest", "-q", "-p", "no:asyncio"], ["script.py"], ["with_moto.py"]):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_links_lead_somewhere() -> None:
    """Each relative link of the README and of docs/ is a file."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_architecture_names_what_there_is() -> None:
    """Each module and folder that docs/architecture.md tells of is there, also after a move."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    files = [path.as_posix() for top in ("lambdalog", "tui", "tests") for path in (ROOT / top).rglob("*.*")]
    modules = set(re.findall(r"`([\w./-]+\.(?:py|mjs))`", page))
    folders = set(re.findall(r"\b(?:lambdalog|tui|tests|samples|docs)/(?:\w+/)*", page))
    assert len(modules) > 20
    assert [name for name in sorted(modules) if not any(file.endswith(f"/{name}") for file in files)] == []
    assert [name for name in sorted(folders) if not (ROOT / name).is_dir()] == []


def test_generated_pages_are_current(tmp_path: Path) -> None:
    """What the pages say of operations and commands is what `make docs` would write now."""
    subprocess.run([sys.executable, "-m", "lambdalog.cli.reference", str(tmp_path)], check=True)
    made = sorted(page.name for page in tmp_path.iterdir())
    assert made == ["aws-compatibility.md", "commands.md"]
    for name in made:
        assert (ROOT / "docs" / name).read_text("utf-8") == (tmp_path / name).read_text("utf-8"), (
            "run: make docs"
        )


def test_no_page_names_a_place_of_ours() -> None:
    """The repository holds no address of a package registry and no path of a machine."""
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    for name in files:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".txt", ".yml", ""} and path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not re.search(r"https?://[^\s\"')]*(pypi|pythonhosted|npmjs|registry)\.", text), name
