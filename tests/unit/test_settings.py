"""Where the store is, and what a function is called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lambdalog import settings
from lambdalog.errors import ConfigError
from lambdalog.settings import (
    Aws,
    Disk,
    durability,
    find_target,
    function_name,
    log_durability,
    other_endpoints,
    parse_target,
    processes,
    region,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("disk:/var/lib/logs", Disk(Path("/var/lib/logs"))),
        ("/var/lib/logs", Disk(Path("/var/lib/logs"))),
        ("aws", Aws()),
        ("aws:eu-west-1", Aws("eu-west-1")),
        ("aws:us-gov-east-1", Aws("us-gov-east-1")),
    ],
)
def test_a_target_is_a_folder_or_aws(text: str, expected: Disk | Aws) -> None:
    """Each documented way of naming a store is understood, and printed back."""
    assert parse_target(text) == expected
    assert parse_target(str(expected)) == expected


@pytest.mark.parametrize("text", ["", "disk:", "aws:", "aws:Frankfurt", "s3:bucket", "store"])
def test_anything_else_is_refused(text: str) -> None:
    """What names no store is an error that says what would."""
    with pytest.raises(ConfigError, match="write"):
        parse_target(text)


def test_the_nearest_store_upward_is_found(tmp_path: Path) -> None:
    """LAMBDALOG_STORE comes first, then the nearest .lambdalog upward, then one in the folder itself."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_target({}, inner) == Disk(inner / ".lambdalog")
    (tmp_path / ".lambdalog").mkdir()
    assert find_target({}, inner) == Disk(tmp_path / ".lambdalog")
    assert find_target({"LAMBDALOG_STORE": "aws"}, inner) == Aws()


def test_the_region_comes_from_the_environment() -> None:
    """AWS_REGION comes before AWS_DEFAULT_REGION, and us-east-1 is last."""
    assert region({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "x"}) == "eu-west-1"
    assert region({"AWS_DEFAULT_REGION": "eu-north-1"}) == "eu-north-1"
    assert region({}) == "us-east-1"


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("orders/app.py", "orders"),
        ("resize.py", "resize"),
        ("my fn/main.py", "my-fn"),
        ("x/lambda_function.py", "x"),
    ],
)
def test_a_function_is_named_by_its_file_or_folder(file: str, expected: str) -> None:
    """Names of files that say nothing give way to their folder's."""
    assert function_name(Path("/code") / file) == expected


def test_durability_is_normal_or_full() -> None:
    """LAMBDALOG_DURABILITY is understood in either case; NORMAL is the default; anything else says what it may be."""
    assert [durability({}), durability({"LAMBDALOG_DURABILITY": ""})] == ["NORMAL", "NORMAL"]
    assert [durability({"LAMBDALOG_DURABILITY": text}) for text in ("normal", "full", "FULL")] == [
        "NORMAL",
        "FULL",
        "FULL",
    ]
    with pytest.raises(ConfigError, match="LAMBDALOG_DURABILITY is 'off'; write normal or full"):
        durability({"LAMBDALOG_DURABILITY": "off"})


def test_log_durability_is_one_of_three() -> None:
    """LAMBDALOG_LOG_DURABILITY is understood in either case; never is the default; anything else says what it may be."""
    assert [log_durability({}), log_durability({"LAMBDALOG_LOG_DURABILITY": ""})] == ["never", "never"]
    words = ("never", "batch", "Invocation")
    assert [log_durability({"LAMBDALOG_LOG_DURABILITY": word}) for word in words] == [
        "never",
        "batch",
        "invocation",
    ]
    expected = "LAMBDALOG_LOG_DURABILITY is 'full'; write never, batch or invocation"
    with pytest.raises(ConfigError, match=expected):
        log_durability({"LAMBDALOG_LOG_DURABILITY": "full"})


def test_endpoints_of_other_services() -> None:
    """Those of services that a store has are not among them, by whichever of their names."""
    names = ("S3", "DYNAMODB_STREAMS", "SQS", "CLOUDWATCH_LOGS", "LOGS", "SNS", "LAMBDA", "STS")
    environ = {f"AWS_ENDPOINT_URL_{name}": name for name in names} | {
        "AWS_ENDPOINT_URL": "x",
        "AWS_PROFILE": "y",
    }
    assert other_endpoints(environ) == {
        "AWS_ENDPOINT_URL_S3": "S3",
        "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": "DYNAMODB_STREAMS",
    }


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="processors can't be chosen here")
@pytest.mark.parametrize(
    ("usable", "quota", "expected"),
    [
        (4, None, 4),
        (64, None, 8),
        (4, "max 100000\n", 4),
        (4, "200000 100000\n", 2),
        (4, "50000 100000\n", 1),
        (2, "400000 100000\n", 2),
        (4, "nonsense", 4),
    ],
)
def test_as_many_processes_read_as_there_are_processors(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, usable: int, quota: str | None, expected: int
) -> None:
    """As many as this process may use, and a container has the time of; never more than eight."""
    file = tmp_path / "cpu.max"
    if quota is not None:
        file.write_text(quota)
    monkeypatch.setattr(settings, "_QUOTA", file)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(usable)))
    assert processes({}) == processes({"LAMBDALOG_PROCESSES": ""}) == expected


def test_how_many_processes_read_can_be_set() -> None:
    """To any number; in a function it is always one, whatever is set; what is no number is refused."""
    assert [processes({"LAMBDALOG_PROCESSES": text}) for text in ("1", "3", "64")] == [1, 3, 64]
    assert processes({"AWS_LAMBDA_FUNCTION_NAME": "f", "LAMBDALOG_PROCESSES": "4"}) == 1
    for text in ("0", "-1", "two", "1.5", "²"):
        with pytest.raises(ConfigError, match="LAMBDALOG_PROCESSES"):
            processes({"LAMBDALOG_PROCESSES": text})
