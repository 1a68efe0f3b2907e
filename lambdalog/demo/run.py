"""Deploys the samples into a store of its own, keeps them busy, lets a gateway fail and recover, and replays."""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from lambdalog.demo.summary import Row, Tally, differences, letters_in, rows
from lambdalog.demo.traffic import SAMPLES, Traffic
from lambdalog.failures import Desk, where
from lambdalog.local.lambda_ import Lambda
from lambdalog.local.lambda_.deploy import deploy
from lambdalog.runtime.project import Project, read_project
from lambdalog.store.keeping import keep_up

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.clock import Clock
    from lambdalog.cloud import Cloud
    from lambdalog.demo.traffic import Call
    from lambdalog.errors import LambdalogError
    from lambdalog.runtime import FunctionSpec, Outcome

# Lambda waits one minute and two before it tries an asynchronous event again; here that takes 0.3 and 0.6 seconds.
DELAY_SCALE: Final = 1 / 200
RATE: Final = 14.0
CALLERS: Final = 4
WORKERS: Final = 4
OUTAGE_SECONDS: Final = 12.0


class Demo:
    """The samples at work in one store. `start`, then `stop`; then `check` says whether the store agrees."""

    def __init__(
        self, cloud: Cloud, samples: Path, *, seed: int = 7, outage_seconds: float = OUTAGE_SECONDS
    ) -> None:
        client: Any = cloud.client("lambda")
        if not isinstance(client, Lambda):
            raise TypeError("the demo runs on a store on disk")
        self._cloud = cloud
        self._clock: Clock = cloud.clock
        self._client = client
        self._samples = samples
        self._outage_seconds = outage_seconds
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self._payments: Project | None = None
        self._unexpected: Counter[str] = Counter()
        client.runtime.observer = self._observe

    def start(self) -> None:
        """Deploy the samples and begin."""
        for name in SAMPLES:
            project = read_project(str(self._samples / name))
            if name == "payments":
                self._payments = project
            deploy(self._client, self._cloud.sqs, project)
        self._gateway(up=False)
        worker = self._client.worker(delay_scale=DELAY_SCALE)
        targets = [self._drive, self._operate, self._upkeep, *[lambda: worker.run(self._stop)] * WORKERS]
        self._threads = [threading.Thread(target=target, daemon=True) for target in targets]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the traffic, let the queue run empty, and replay what the outage left behind."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._gateway(up=True)
        worker = self._client.worker(delay_scale=DELAY_SCALE)
        draining = [threading.Thread(target=worker.drain) for _ in range(WORKERS)]
        for thread in draining:
            thread.start()
        for thread in draining:
            thread.join()
        self._replay()

    def summary(self) -> list[Row]:
        """What was done so far."""
        letters = {name: letters_in(self._cloud, f"{name}-dlq") for name in SAMPLES}
        with self._lock:
            return rows(dict(self._tallies), letters)

    def check(self) -> list[str]:
        """Where the store says otherwise than was counted. To be asked after `stop`."""
        counts = self._client.events.counts()
        found = differences(self._cloud, self._tallies)
        buried = sum(letters_in(self._cloud, f"{name}-dlq") for name in SAMPLES)
        replayed = sum(tally.replayed for tally in self._tallies.values())
        if counts.get("dead_lettered", 0) - replayed != buried:
            found.append(
                f"{counts.get('dead_lettered', 0)} dead letters sent, {replayed} replayed, {buried} in the queues"
            )
        if pending := self._client.events.pending():
            found.append(f"{pending} asynchronous events are still waiting")
        found += [f"{count} times {what}" for what, count in self._unexpected.items()]
        return found

    # --- what goes on

    def _drive(self) -> None:
        traffic = Traffic(self._samples, self._random)
        with ThreadPoolExecutor(CALLERS) as callers:
            while not self._clock.wait(self._stop, traffic.pause(RATE)):
                callers.submit(self._call, traffic.next())

    def _call(self, call: Call) -> None:
        kind = "Event" if call.asynchronous else "RequestResponse"
        try:
            self._client.invoke(FunctionName=call.function, InvocationType=kind, Payload=call.payload)
        except self._client.exceptions.TooManyRequestsException:
            with self._lock:
                self._tallies[call.function].throttles += 1
        except Exception as error:  # noqa: BLE001 - whatever else it is ends up in the check
            with self._lock:
                self._unexpected[f"{type(error).__name__}: {error}"] += 1

    def _operate(self) -> None:
        """The gateway is down, comes back, what it failed is replayed; over and over."""
        while not self._clock.wait(self._stop, self._outage_seconds):
            self._gateway(up=True)
            if self._clock.wait(self._stop, self._outage_seconds / 4):
                return
            self._replay()
            if self._clock.wait(self._stop, self._outage_seconds):
                return
            self._gateway(up=False)

    def _upkeep(self) -> None:
        """Seal what is no longer written, each minute, as whoever serves a store does."""

        def failed(error: LambdalogError) -> None:
            with self._lock:
                self._unexpected[f"upkeep: {error}"] += 1

        assert self._cloud.store is not None
        keep_up(self._cloud.store, self._stop, failed=failed)

    def _gateway(self, *, up: bool) -> None:
        assert self._payments is not None
        variables = self._payments.environment | {"GATEWAY": "up" if up else "down"}
        self._client.update_function_configuration(
            FunctionName="payments", Environment={"Variables": variables}
        )

    def _replay(self) -> None:
        """Invoke again what the outage failed, and only that."""
        with Desk(self._cloud) as desk:
            planned = desk.plan("payments-dlq", where=where(["message~gateway is down"]))
            if planned.letters:
                result = desk.run(desk.begin(planned).id)
                with self._lock:
                    self._tallies["payments"].replayed += result.counts["acked"]

    def _observe(self, spec: FunctionSpec, outcome: Outcome) -> None:
        with self._lock:
            tally = self._tallies[spec.name]
            tally.durations.append(outcome.duration_ms)
            tally.errors += outcome.function_error is not None
            tally.cold_starts += outcome.cold_start
