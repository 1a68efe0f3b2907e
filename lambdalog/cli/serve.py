"""lambdalog serve."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import click

from lambdalog.cli.options import interactive, open_cloud, store_option
from lambdalog.errors import ConfigError

if TYPE_CHECKING:
    from lambdalog.server.service import Service


@click.command(name="serve", context_settings={"ignore_unknown_options": True})
@click.option(
    "--port", default=4566, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Another address needs --allow-remote.")
@click.option("--allow-remote", is_flag=True, help="Let other machines come in, with the store's keys.")
@click.option(
    "--allow-host", "hosts", multiple=True, metavar="NAME", help="A further name this endpoint is called by."
)
@click.option("--anonymous", is_flag=True, help="Take any signature. Loopback only.")
@click.option(
    "--threads", default=4, show_default=True, type=click.IntRange(1, 64), help="For asynchronous events."
)
@click.option("--quiet", "-q", is_flag=True, help="Don't print what to export.")
@store_option
@click.argument("arguments", metavar="[-- COMMAND…]", nargs=-1, type=click.UNPROCESSED)
def command(
    port: int,
    host: str,
    allow_remote: bool,
    hosts: tuple[str, ...],
    anonymous: bool,
    threads: int,
    quiet: bool,
    store: str | None,
    arguments: tuple[str, ...],
) -> None:
    """Serve a store as AWS endpoints: CloudWatch Logs, SQS, SNS, Lambda and STS on one port, for any AWS client.

    Prints the variables that clients need. With a COMMAND, runs it with these set, and stops with it. Asynchronous events
    are invoked and the store is kept tidy meanwhile. Ctrl-C lets running requests finish; queued events stay queued.
    """
    from lambdalog.server.guard import is_loopback
    from lambdalog.server.service import Service, Settings

    if not is_loopback(host) and not allow_remote:
        raise ConfigError(
            f"{host} is not loopback: other machines could come in; say --allow-remote if they shall"
        )
    if arguments and arguments[0].startswith("-"):
        raise click.UsageError(f"no such option: {arguments[0]}; a command stands after --")
    settings = Settings(host=host, port=port, anonymous=anonymous, hosts=hosts, threads=threads)
    with open_cloud(store) as cloud:
        try:
            service = Service(cloud, settings)
        except OSError as error:
            raise ConfigError(
                f"can't listen on {host}:{port}: {error.strerror}; --port 0 takes a free one"
            ) from None
        if anonymous:
            click.echo("Anyone on this machine may come in: signatures are not verified.", err=True)
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        service.start()
        try:
            status = _run(service, arguments, stop) if arguments else _wait(service, stop, quiet=quiet)
        finally:
            finished = service.stop()
        if not finished:
            click.echo("Some requests did not end in time; they were cut off.", err=True)
    sys.exit(status)


def _wait(service: Service, stop: threading.Event, *, quiet: bool) -> int:
    if not quiet:
        if interactive():
            click.echo(f"The store is served at {service.url}. In another terminal:\n")
        for name, value in service.environment.items():
            click.echo(f"export {name}={shlex.quote(value)}")
        if interactive():
            click.echo("\nCtrl-C stops.")
        sys.stdout.flush()
    stop.wait()
    return 0


def _run(service: Service, arguments: tuple[str, ...], stop: threading.Event) -> int:
    # Its own credentials and profiles must not send the command to AWS.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    try:
        process = subprocess.Popen(arguments, env=environment | service.environment)
    except OSError as error:
        raise ConfigError(f"can't run {arguments[0]}: {error.strerror}") from None
    done = threading.Event()

    def wait() -> None:
        process.wait()
        done.set()
        stop.set()

    waiter = threading.Thread(target=wait, daemon=True)
    waiter.start()
    stop.wait()
    if not done.is_set():
        process.terminate()  # a signal that came to us alone; Ctrl-C reached it too
        if not done.wait(10):
            process.kill()
    waiter.join()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode
