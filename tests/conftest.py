"""What every test may ask for."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from lambdalog.clock import ManualClock
from lambdalog.cloud import Cloud, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

# How long an example takes says how busy the machine is, not whether it is right.
settings.register_profile("lambdalog", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lambdalog")

# Where whoever started the suite ignores Ctrl-C, as a shell makes its background jobs do, what the tests start would too.
signal.signal(signal.SIGINT, signal.default_int_handler)

SAMPLES = Path(__file__).resolve().parent.parent / "samples"


# For tests of our own plugin; pytest takes it from here alone.
pytest_plugins = ["pytester"]


@pytest.fixture(scope="session", autouse=True)
def _models_are_read_once() -> Iterator[None]:
    """Botocore reads its models for each session anew, which takes longer than most tests do."""
    from functools import cache

    import botocore.session

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees this machine's AWS account, store or Lambda variables."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "LAMBDA", "_LAMBDA", "_HANDLER")) or name in {"NO_COLOR", "FORCE_COLOR"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def _no_shippers_left() -> Iterator[None]:
    """A handler's end flushes every shipper of the process: those of a test that is over are none of the next one's."""
    yield
    fleet = sys.modules.get("lambdalog.shipper.fleet")
    if fleet is not None:
        fleet.FLEET._shippers.clear()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that moves only when told to."""
    return ManualClock()


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """A folder for a store, not made yet."""
    return tmp_path / "store"


@pytest.fixture
def cloud(store_path: Path) -> Iterator[Cloud]:
    """A store on disk, on the machine's clock."""
    with connect(f"disk:{store_path}") as opened:
        yield opened


@pytest.fixture
def manual_cloud(store_path: Path, clock: ManualClock) -> Iterator[Cloud]:
    """A store on disk, on a manual clock."""
    with connect(f"disk:{store_path}", clock=clock) as opened:
        yield opened
