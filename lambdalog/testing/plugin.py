"""pytest's fixture `lambdalog_cloud`. Loaded by every run of pytest where lambdalog is installed: it imports nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lambdalog.testing.local import LocalCloud

_MARKER = (
    "lambdalog(endpoint=True, region='us-east-1', retry_delays=0.0, clock=None): "
    "how the cloud of the fixture lambdalog_cloud is made; see lambdalog.testing.local_cloud"
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def lambdalog_cloud(request: pytest.FixtureRequest) -> Iterator[LocalCloud]:
    """CloudWatch Logs, SQS, SNS and Lambda for this test alone; every AWS client that is made meanwhile finds them."""
    from lambdalog.testing.local import local_cloud

    marker = request.node.get_closest_marker("lambdalog")
    with local_cloud(**(marker.kwargs if marker is not None else {})) as cloud:
        yield cloud
