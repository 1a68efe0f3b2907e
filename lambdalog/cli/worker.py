"""lambdalog worker."""

from __future__ import annotations

import signal
import threading

import click

from lambdalog.cli.options import open_cloud, store_option
from lambdalog.errors import ConfigError


@click.command(name="worker")
@click.option("--drain", is_flag=True, help="Stop when the queue is empty; retries are waited for.")
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64))
@store_option
def command(drain: bool, threads: int, store: str | None) -> None:
    """Invoke the asynchronous events that wait in a store, with Lambda's retries, until stopped.

    What can't succeed goes to its function's dead-letter queue. Ctrl-C finishes what is running; the rest stays queued.
    """
    from lambdalog.local.lambda_ import Lambda

    with open_cloud(store) as cloud:
        client = cloud.client("lambda")
        if not isinstance(client, Lambda):
            raise ConfigError("on AWS, Lambda drains its own events; a worker is for a store on disk")
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        worker = client.worker()
        target = worker.drain if drain else worker.run
        running = [threading.Thread(target=target, args=(stop,)) for _ in range(threads)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
        counts = client.events.counts()
        click.echo(
            ", ".join(f"{value} {name}" for name, value in sorted(counts.items())) or "nothing was waiting"
        )
