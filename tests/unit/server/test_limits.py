"""What peers may take of this process."""

from __future__ import annotations

import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lambdalog.server.limits import CONNECTIONS, Limits, allow_descriptors

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def descriptors(soft: int) -> Iterator[int]:
    """This process has so many for a while; how many a server may take then."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    try:
        yield 10_240 if before[1] == resource.RLIM_INFINITY else min(before[1], 10_240)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(("soft", "connections"), [(256, 42), (1024, 170)])
def test_connections_leave_descriptors_for_the_store(soft: int, connections: int) -> None:
    """Peers that only connect could else keep the store from opening its files."""
    with descriptors(soft):
        assert Limits().connections == connections


def test_a_server_takes_the_descriptors_that_it_may_have() -> None:
    """What a shell gives to a process at first is less than a thousand connections need."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with descriptors(256) as most:
        for _ in range(2):
            allow_descriptors()
            assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, hard)
        assert Limits().connections == min(CONNECTIONS, most // 6)
