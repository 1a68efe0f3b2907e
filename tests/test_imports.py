"""What an import costs a cold start: checked in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import lambdalog

HEAVY = (
    "boto3",
    "botocore",
    "sqlite3",
    "http",
    "duckdb",
    "click",
    "textual",
    "msgspec",
    "re2",
    "moto",
    # structlog brings asyncio, and rich where that is installed: two thirds of a cold start's budget.
    "structlog",
    "asyncio",
    "rich",
    "pathlib",
    "hashlib",
    "random",
)

INVOKED = """
import os
os.environ["AWS_LAMBDA_RUNTIME_API"] = "x"
from lambdalog import handler, get_logger
@handler
def f(event, context): get_logger().info("x", a=1)
f({}, object())
"""


def loaded(statement: str) -> set[str]:
    """The modules that a fresh process has after a statement."""
    code = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    # Measuring coverage loads modules of its own.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import lambdalog",
        "import lambdalog.instrument",
        "from lambdalog import get_logger, handler",
        "from lambdalog import handler\n@handler\ndef f(event, context): ...\n",
        INVOKED,
    ],
)
def test_the_handlers_path_is_small(statement: str) -> None:
    """Decorating a handler, logging and being invoked load no AWS SDK, no database, no HTTP, no screen, no event loop."""
    assert loaded(statement) & set(HEAVY) == set()


def test_the_package_alone_loads_next_to_nothing() -> None:
    """`import lambdalog` loads no structlog either: names come when they are used."""
    assert loaded("import lambdalog") & {"structlog", "orjson", "json", "logging"} == set()


@pytest.mark.parametrize("statement", ["import lambdalog.cli.commands", "from lambdalog.cli import main"])
def test_help_needs_no_aws_and_no_screen(statement: str) -> None:
    """The command line's --help answers without the SDK, rich or textual."""
    assert loaded(statement) & {"boto3", "botocore", "rich", "textual", "duckdb", "sqlite3"} == set()


def test_the_dashboard_is_loaded_by_its_command_alone() -> None:
    """No module of lambdalog brings tui along."""
    assert "tui" not in loaded(
        "import lambdalog.cli.tail, lambdalog.cli.failures, lambdalog.cloud, lambdalog.store"
    )


def test_public_names_are_there() -> None:
    """Everything in __all__ can be had, dir() shows it, and other names say so."""
    for name in lambdalog.__all__:
        assert getattr(lambdalog, name) is not None
    assert set(lambdalog.__all__) <= set(dir(lambdalog))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        lambdalog.nothing  # noqa: B018
