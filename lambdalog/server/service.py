"""A store served: the endpoint, and what has to run beside it."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from botocore.exceptions import ClientError

from lambdalog.cloud import SERVICES
from lambdalog.errors import ConfigError, StoreError
from lambdalog.local.sts import Sts
from lambdalog.server.endpoint import Door, Endpoint, body_max
from lambdalog.server.guard import is_loopback
from lambdalog.server.http import HttpServer
from lambdalog.server.instance import Instance
from lambdalog.server.keys import load_keys
from lambdalog.server.queue_urls import inward, outward
from lambdalog.settings import other_endpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lambdalog.cloud import Cloud
    from lambdalog.local.base import Double
    from lambdalog.server.limits import Limits
    from lambdalog.server.signature import Keys

logger = logging.getLogger(__name__)

# The port that other emulators listen on, so that most people's settings are right already.
PORT: Final = 4566
UPKEEP_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How to serve. `port` 0: any free one. `host` other than loopback needs keys. `hosts`: names besides loopback's.

    `threads` invoke asynchronous events. `grace_seconds`: what running requests and invocations get when it stops.
    `delay_scale` shortens Lambda's waits between retries, for tests.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    anonymous: bool = False
    hosts: tuple[str, ...] = ()
    threads: int = 4
    grace_seconds: float = 30.0
    delay_scale: float = 1.0


class Service:
    """One store, served to every AWS client on this machine until `stop`.

    ConfigError for settings that can't be; StoreLocked if the store is served already, StoreError if it can't be written to;
    OSError if the port is taken.
    """

    def __init__(self, cloud: Cloud, settings: Settings | None = None, limits: Limits | None = None) -> None:
        self.settings = settings = settings or Settings()
        if cloud.root is None or cloud.store is None:
            raise ConfigError("AWS serves itself; serve is for a store on disk")
        if settings.anonymous and not is_loopback(settings.host):
            raise ConfigError("--anonymous is for loopback only: on another address anyone could come in")
        self._cloud = cloud
        self._places = (str(cloud.root), sys.executable)
        self._stop = threading.Event()
        self._hurry = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sts = Sts(scope=cloud.scope, clock=cloud.clock)
        try:
            self._instance = Instance(cloud.store.layout.endpoint)
        except OSError as error:
            raise _unwritable(cloud.root, error) from None
        try:
            self.keys: Keys = _keys(cloud.root, cloud.store.layout.endpoint_keys)
            names = {settings.host, *settings.hosts} - {"0.0.0.0", "::"}  # noqa: S104 - these name no host
            door = Door(None if settings.anonymous else self.keys, frozenset(name.lower() for name in names))
            self._endpoint = Endpoint(self._dispatch, door, clock=cloud.clock, reader=cloud.reader)
            self._http = HttpServer(
                (settings.host, settings.port),
                self._endpoint.answer,
                refuse=self._endpoint.refuse,
                body_max=body_max,
                limits=limits,
            )
        except BaseException:
            self._instance.close()
            raise

    @property
    def url(self) -> str:
        """Where it listens."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._http.host, self._http.host)  # noqa: S104 - told, not bound
        return f"http://[{host}]:{self._http.port}" if ":" in host else f"http://{host}:{self._http.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What clients need to find it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.keys.access_key,
            "AWS_SECRET_ACCESS_KEY": self.keys.secret_key,
            "AWS_DEFAULT_REGION": self._cloud.scope.region,
            "AWS_REGION": self._cloud.scope.region,
            # StartLiveTail would go to stream-127.0.0.1.
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
            # So that `lambdalog` itself finds the same store.
            "LAMBDALOG_STORE": str(self._cloud.target),
        }

    def start(self) -> None:
        """Begin to answer, and to work off what waits."""
        # Subscribers are told to come here, and functions find their own cloud.
        self._cloud.client("sns").home = self.url
        self._cloud.client("lambda").surroundings = other_endpoints(os.environ) | self.environment
        for name, work in self._work():
            thread = threading.Thread(
                target=self._run, args=(name, work), name=f"lambdalog-{name}", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        self._http.start()
        self._instance.announce(self.url)

    def stop(self) -> bool:
        """Take no more requests, give running ones their time, leave queued events queued. Whether all was finished.

        Long polls return at once with what they have, live tails end. What has not ended within the grace is cut off.
        """
        until = time.monotonic() + self.settings.grace_seconds
        self._stop.set()
        finished = self._http.stop(self.settings.grace_seconds, self._hurry, self._end_waits)
        for thread in self._threads:
            _join(thread, until, self._hurry)
            finished = finished and not thread.is_alive()
        self._instance.close()
        return finished

    @property
    def answering(self) -> int:
        """How many requests are being answered now."""
        return self._endpoint.answering

    def hurry(self) -> None:
        """End the grace of a stop, or of one to come. Safe in a signal handler."""
        self._hurry.set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _end_waits(self) -> None:
        for service in SERVICES:
            self._cloud.client(service).end_waits()

    def _dispatch(self, service: str, operation: str, params: dict[str, Any]) -> Mapping[str, Any]:
        try:
            return self._call(service, operation, params)
        except ClientError as error:
            self._hide_places(operation, error)
            raise

    def _hide_places(self, operation: str, error: ClientError) -> None:
        """Take this machine's paths out of an error's text, which is for this process's own callers, and log it whole."""
        told = shown = error.response["Error"].get("Message", "")
        for place in self._places:
            shown = shown.replace(place, "…")
        if shown != told:
            logger.error("%s failed: %s", operation, told)
            error.response["Error"]["Message"] = shown

    def _call(self, service: str, operation: str, params: dict[str, Any]) -> Mapping[str, Any]:
        if service == "sts":
            return self._sts.call(operation, params)
        client: Double = self._cloud.client(service)
        if service == "sqs":
            address = self._endpoint.asked_at or self.url
            return outward(client.call(operation, inward(params, client.meta.endpoint_url)), address)
        return client.call(operation, params)

    def _work(self) -> list[tuple[str, Callable[[threading.Event], object]]]:
        """What runs beside the endpoint, each in a thread, until the event is set."""
        loops = [loop for service in SERVICES for loop in self._cloud.client(service).background()]
        if not any(name == "events" for name, _ in loops):
            worker = self._cloud.client("lambda").worker(delay_scale=self.settings.delay_scale)
            loops += [(f"events-{number}", worker.run) for number in range(self.settings.threads)]
        return [*loops, ("upkeep", self._upkeep)]

    def _upkeep(self, stop: threading.Event) -> None:
        from lambdalog.store.keeping import keep_up

        assert self._cloud.store is not None
        failed = lambda error: logger.warning("upkeep of the store failed, and is tried again: %s", error)  # noqa: E731
        keep_up(self._cloud.store, stop, seconds=UPKEEP_SECONDS, failed=failed)

    def _run(self, name: str, work: Callable[[threading.Event], object]) -> None:
        """Do it; what it raises is logged, and it is begun again a moment later."""
        while not self._stop.is_set():
            try:
                work(self._stop)
            except Exception:
                logger.exception("%s failed; begun again in a second", name)
                self._stop.wait(1)


def _join(thread: threading.Thread, until: float, hurry: threading.Event) -> None:
    """Wait for a thread's end: until then (on the monotonic clock), or until `hurry` is set."""
    while thread.is_alive() and (left := until - time.monotonic()) > 0 and not hurry.is_set():
        thread.join(min(left, 0.1))


def _keys(root: Path, path: Path) -> Keys:
    try:
        return load_keys(path)
    except OSError as error:
        raise _unwritable(root, error) from None


def _unwritable(root: Path, error: OSError) -> StoreError:
    return StoreError(f"can't write to the store at {root}: {error.strerror}")
