"""local_cloud(): a store in a folder of its own, served or in this process, gone after the test."""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lambdalog.testing.surroundings import surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lambdalog.clock import Clock
    from lambdalog.cloud import Cloud
    from lambdalog.server.service import Service

REGION: Final = "us-east-1"
# What a test that ends gives to invocations that are still running.
GRACE_SECONDS: Final = 5.0
SETTLE_SECONDS: Final = 30.0
_SETTINGS: Final = (
    "name",
    "timeout",
    "memory",
    "retries",
    "max_age",
    "concurrency",
    "dead_letter",
    "runtime",
    "environment",
)
# Clients of a cloud without an endpoint need keys to sign with; nobody verifies them.
_KEYS: Final = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


class LocalCloud:
    """The cloud of one test. Made by `local_cloud` or the fixture `lambdalog_cloud`."""

    def __init__(
        self, store: Cloud, service: Service | None, environment: Mapping[str, str], retry_delays: float
    ) -> None:
        self.store = store
        """The same cloud as `lambdalog.connect` gives it: doubles, without HTTP."""
        self.environment = environment
        """What a process needs to find it: `subprocess.run(..., env=os.environ | cloud.environment)`."""
        self._service = service
        self._retry_delays = retry_delays

    @property
    def url(self) -> str | None:
        """Where the endpoint is; None if there is none."""
        return None if self._service is None else self._service.url

    def client(self, service: str, **arguments: Any) -> Any:
        """boto3's own client of a service: of the endpoint (`arguments` are boto3's), or answered within this process."""
        if self._service is None:
            return self.store.boto3_client(service)
        import boto3

        return boto3.client(service, **arguments)

    def deploy(self, target: str | Path, **settings: Any) -> str:
        """Make a function of `path/file.py:function`, a file or a folder, with its dead-letter queue; its name.

        It runs in place: an edit takes effect at the next invocation. `settings` are those of `lambdalog.toml`: name,
        timeout, memory, retries, max_age, concurrency, dead_letter, environment. ConfigError if there is no such file.
        """
        from lambdalog.local.lambda_.deploy import deploy
        from lambdalog.runtime.project import read_project

        if unknown := sorted(set(settings).difference(_SETTINGS)):
            raise TypeError(f"deploy() has no setting {unknown[0]}; it has {', '.join(_SETTINGS)}")
        project = replace(read_project(str(target)), **settings)
        return deploy(self.store.client("lambda"), self.store.sqs, project)

    def messages(self, group: str, pattern: str = "") -> list[str]:
        """The messages of a log group, or of a function by its name, in order; those that a filter pattern finds.

        A group that is not there has none.
        """
        name = group if "/" in group else f"/aws/lambda/{group}"
        logs = self.store.logs
        found: list[str] = []
        try:
            for page in logs.get_paginator("filter_log_events").paginate(
                logGroupName=name, filterPattern=pattern
            ):
                found += [event["message"] for event in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return found

    def settle(self, timeout: float = SETTLE_SECONDS) -> None:
        """Wait until nothing is under way.

        That is: asynchronous events with their retries and dead letters, what topics and subscription filters deliver,
        messages in queues that functions read.
        Without an endpoint the work is done here; on a clock of the test's own, what is due by then, and no more.
        TimeoutError, with what still waits, after `timeout` seconds.
        """
        from lambdalog.clock import SYSTEM
        from lambdalog.testing.pending import Pending

        pending = Pending(self.store, self._retry_delays)
        until = time.monotonic() + timeout
        while True:
            if self._service is None:
                pending.work()
            if self.store.clock is not SYSTEM:
                return
            # Twice: what went on from one place to another while it was looked for is found the second time.
            waiting = pending.waiting() or pending.waiting()
            if not waiting:
                return
            if time.monotonic() > until:
                raise TimeoutError(f"after {timeout:g} seconds there still wait: {', '.join(waiting)}")
            time.sleep(0.01)


@contextmanager
def local_cloud(
    folder: str | Path | None = None,
    *,
    endpoint: bool = True,
    region: str = REGION,
    retry_delays: float = 0.0,
    clock: Clock | None = None,
) -> Iterator[LocalCloud]:
    """A private cloud while the block lasts, or the function that this decorates.

    With an `endpoint` every AWS client made meanwhile, in this process or one that it starts, finds it by the variables
    AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and so on, which are put back afterwards; what AWS does between requests is done.
    Without, nothing listens and nothing runs by itself: `client()` answers in this process, on `clock` if one is given,
    and `settle()` does what is due. `folder` keeps the store; else it is gone afterwards. The minutes that Lambda waits
    between retries are multiplied by `retry_delays`.
    """
    with tempfile.TemporaryDirectory(prefix="lambdalog-test-") as temporary:
        where = Path(folder) if folder is not None else Path(temporary) / "store"
        basics = {"AWS_DEFAULT_REGION": region, "AWS_REGION": region, "LAMBDALOG_STORE": f"disk:{where}"}
        with surroundings(basics | _KEYS):
            from lambdalog.clock import SYSTEM
            from lambdalog.cloud import connect
            from lambdalog.errors import ConfigError

            if endpoint and clock is not None:
                raise ConfigError("an endpoint keeps this machine's time, by which signatures are verified")
            with connect(f"disk:{where}", clock=clock or SYSTEM) as store:
                if not endpoint:
                    yield LocalCloud(store, None, basics | _KEYS, retry_delays)
                    return
                from lambdalog.server.service import Service, Settings

                settings = Settings(port=0, grace_seconds=GRACE_SECONDS, delay_scale=retry_delays)
                with Service(store, settings) as service, surroundings(service.environment):
                    yield LocalCloud(store, service, service.environment, retry_delays)
