"""Where a store's spool lies."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from lambdalog.errors import ConfigError
from lambdalog.settings import Aws, Disk
from lambdalog.shipper.aws import account, account_of, aws_client
from lambdalog.shipper.destination import spool_of


def test_a_stores_spool_lies_in_it(tmp_path: Path) -> None:
    """But where LAMBDALOG_SPOOL names another."""
    assert spool_of(Disk(tmp_path), {}) == tmp_path / "spool"
    assert spool_of(Disk(tmp_path), {"LAMBDALOG_SPOOL": "~/kept"}) == Path.home() / "kept"


def test_each_account_and_region_has_its_own(tmp_path: Path) -> None:
    """What was meant for one is never sent to another; the nearest store upward holds it."""
    (tmp_path / ".lambdalog").mkdir()
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    folder = tmp_path / ".lambdalog" / "spool"

    def where(region: str | None, owner: str | None, **environ: str) -> Path:
        return spool_of(Aws(region), environ, deep, lambda: owner)

    assert where("eu-west-1", "123456789012") == folder / "aws-123456789012-eu-west-1"
    assert where("eu-west-1", "210987654321") == folder / "aws-210987654321-eu-west-1"
    assert where(None, None, AWS_REGION="us-east-1") == folder / "aws-us-east-1"
    assert where(None, None) == folder / "aws-default"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("ASIAQNZGKIQY56JQ7WML", "029608264753"),
        ("ASIAY34FZKBOKMUTVV7A", "609629065308"),
        ("AKIDEXAMPLE", None),
        ("", None),
        ("testing", None),
        ("AKIA0000000000000001", None),
    ],
)
def test_an_access_key_tells_its_account(key: str, expected: str | None) -> None:
    """Temporary keys of one account tell the same; what is no such key tells nothing."""
    assert account_of(key) == expected


def test_the_account_is_known_without_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """By botocore where it knows it, else by the key; none without credentials."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAY34FZKBOKMUTVV7A")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    assert account(boto3.Session()) == "609629065308"
    monkeypatch.setenv("AWS_ACCOUNT_ID", "123456789012")
    assert account(boto3.Session()) == "123456789012"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert account(boto3.Session()) is None


def test_the_shippers_client_leaves_retries_to_it() -> None:
    """One attempt, and short waits; what boto3 can't make a client of is a ConfigError."""
    config = aws_client(region="eu-west-1").meta.config
    assert config.retries["total_max_attempts"] == 1
    assert config.read_timeout <= 15
    with pytest.raises(ConfigError, match="can't make a client for CloudWatch Logs"):
        aws_client(profile="nobody")
