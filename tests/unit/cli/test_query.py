"""lambdalog query."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from lambdalog.cli import query
from lambdalog.cli.commands import cli
from lambdalog.cloud import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result

    from lambdalog.cloud import Cloud


@pytest.fixture
def store(store_path: Path) -> str:
    """A store with the last minute's events of two functions."""
    with connect(f"disk:{store_path}") as cloud:
        now = time.time_ns() // 10**6
        for name, level in (("orders", "ERROR"), ("users", "INFO")):
            group = f"/aws/lambda/{name}"
            cloud.logs.create_log_group(logGroupName=group)
            cloud.logs.create_log_stream(logGroupName=group, logStreamName="s")
            cloud.logs.put_log_events(
                logGroupName=group,
                logStreamName="s",
                logEvents=[
                    {
                        "timestamp": now - 5000 + number,
                        "message": json.dumps({"level": level, "n": number, "text": "a\tb\n\x1b[31mred"}),
                    }
                    for number in range(10)
                ],
            )
    return f"disk:{store_path}"


def asked(store: str, *args: str) -> Result:
    """The command's result."""
    return CliRunner().invoke(cli, ["query", "--store", store, *args], prog_name="lambdalog")


def test_the_rows_are_columns_with_tabs(store: str) -> None:
    """For a program: a line of names, then a line a row."""
    done = asked(store, "stats count(*) as n, max(n) as most by level")
    assert done.exit_code == 0, done.output
    assert done.stdout == "level\tn\tmost\nERROR\t10\t9\nINFO\t10\t9\n"
    assert asked(store, "orders", "stats count(*) as n").stdout == "n\n10\n"
    assert asked(store, "*users", "orders", "stats count(*) as n").stdout == "n\n20\n"
    assert asked(store, "filter level = 'none'").stdout == ""


def test_each_row_is_an_object_in_json(store: str) -> None:
    """One a line, with the pointer to its event."""
    done = asked(store, "orders", "--json", "fields n | sort n | limit 2")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["n"] for row in rows] == ["0", "1"]
    assert all("@ptr" in row for row in rows)
    assert len(asked(store, "--json", "--limit", "3", "fields n").stdout.splitlines()) == 3


def test_nothing_in_a_row_acts_on_a_terminal(store: str) -> None:
    """Control characters of messages are shown, tabs and line breaks are not columns or rows."""
    done = asked(store, "orders", "fields text | limit 1")
    assert done.stdout.count("\n") == 2
    assert "\x1b" not in done.stdout
    assert "\t" not in done.stdout


def test_a_person_sees_a_table(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns are aligned, numbers to the right; it fits the terminal."""
    monkeypatch.setattr(query, "interactive", lambda *_: True)
    monkeypatch.setenv("COLUMNS", "40")
    done = asked(store, "stats count(*) as n by level, @log")
    lines = [line.rstrip() for line in done.stdout.splitlines() if line.strip()]
    assert [line.split() for line in lines[-2:]] == [
        ["ERROR", "/aws/lambda/orders", "10"],
        ["INFO", "/aws/lambda/users", "10"],
    ]
    assert all(len(line) <= 40 for line in lines)


def test_what_is_wrong_is_said_with_its_place(store: str) -> None:
    """A bad query, time or group: one message, exit code 2 for usage and 1 for what isn't there."""
    done = asked(store, "filter level == 3")
    assert done.exit_code == 2
    assert "  filter level == 3\n                ^" in done.stderr
    assert "unexpected symbol found = at line 1 and position 15" in done.stderr
    assert asked(store, "--since", "1m", "--until", "2h ago", "fields a").exit_code == 2
    assert asked(store).exit_code == 2
    missing = asked(store, "nosuch", "fields a")
    assert missing.exit_code == 1
    assert "nosuch" in str(missing.exception or missing.stderr)


class OnAws:
    """A cloud as AWS's is: no store, a client over the wire protocol."""

    def __init__(self, cloud: Cloud) -> None:
        self.logs = cloud.boto3_client("logs")
        self.clock = Impatient()


class Impatient:
    """Waits a moment where others wait a second."""

    def __init__(self) -> None:
        self.waits = 0

    def sleep(self, seconds: float) -> None:
        """A hundredth of it."""
        self.waits += 1
        time.sleep(seconds / 100)


@pytest.fixture
def aws(store: str) -> Iterator[Any]:
    """The store, spoken to as AWS."""
    with connect(store) as cloud:
        yield OnAws(cloud)


def test_on_aws_the_query_is_aws_own(aws: Any) -> None:
    """It is started, followed and read page by page; the rows are those of a store on disk."""
    now = time.time_ns() // 10**6
    groups = ["/aws/lambda/orders", "/aws/lambda/users"]
    counts: list[float] = []
    rows = list(
        query._on_aws(aws, groups, "stats count(*) as n by level", now - 60_000, now, 10, counts.append)
    )
    assert rows == [[("level", "ERROR"), ("n", "10")], [("level", "INFO"), ("n", "10")]]
    assert counts
    assert counts[-1] == 20
    with pytest.raises(click.ClickException, match="at most 50 groups at once, and these are 51"):
        list(query._on_aws(aws, ["g"] * 51, "fields a", now - 60_000, now, 10, counts.append))


def test_who_leaves_stops_the_query(aws: Any) -> None:
    """Ctrl-C while a query runs on AWS stops it there."""
    stopped: list[str] = []

    class Leaving:
        def start_query(self, **_: Any) -> dict[str, Any]:
            return {"queryId": "q"}

        def get_query_results(self, **_: Any) -> dict[str, Any]:
            raise KeyboardInterrupt

        def stop_query(self, *, queryId: str) -> None:  # noqa: N803 - boto3's name
            stopped.append(queryId)

    aws.logs = Leaving()
    with pytest.raises(KeyboardInterrupt):
        list(query._on_aws(aws, ["g"], "fields a", 1, 2, 10, lambda _: None))
    assert stopped == ["q"]
