"""Clients of the endpoint at which a store is being served: how a command uses what is warm there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from lambdalog.server.instance import running
from lambdalog.server.keys import load_keys

if TYPE_CHECKING:
    from lambdalog.cloud import Cloud

# A function may run for 15 minutes; its answer takes a moment more.
READ_SECONDS: Final = 930


def served_client(cloud: Cloud, service: str) -> Any:
    """boto3's client of the process that serves this store; None if no other process does, or on AWS."""
    if cloud.store is None:
        return None
    layout = cloud.store.layout
    found = running(layout.endpoint)
    if found is None or found.pid == os.getpid():
        return None
    import boto3
    from botocore.config import Config

    keys = load_keys(layout.endpoint_keys)
    session = boto3.Session(keys.access_key, keys.secret_key, region_name=cloud.scope.region)
    config = Config(
        # Sent twice, an event would be two invocations.
        retries={"total_max_attempts": 1, "mode": "standard"},
        read_timeout=READ_SECONDS,
        inject_host_prefix=False,
        proxies={},
    )
    return session.client(service, endpoint_url=found.url, config=config)
