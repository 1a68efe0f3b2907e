"""connect(): boto3-shaped clients of CloudWatch Logs, SQS, SNS and Lambda, on a store in a folder or on AWS."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, Self

from lambdalog.arn import Scope
from lambdalog.clock import SYSTEM
from lambdalog.errors import ConfigError
from lambdalog.extras import at_a_desk
from lambdalog.settings import (
    Aws,
    Disk,
    commands_allowed,
    durability,
    find_target,
    log_durability,
    parse_target,
    region,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    from lambdalog.clock import Clock
    from lambdalog.local.base import Double
    from lambdalog.store import LogStore

# By boto3's names.
SERVICES: Final = ("logs", "sqs", "sns", "lambda")
# An invocation takes 15 minutes at most.
LONGEST_SECONDS: Final = 930
# For a connection, and for an answer: longer than SQS's longest poll. boto3 waits a minute for each, three times over.
CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 25


def connect(target: str | None = None, *, clock: Clock = SYSTEM, **session: Any) -> Cloud:
    """A `Cloud` on `disk:PATH`, `aws` or `aws:REGION`; by default LAMBDALOG_STORE, else the nearest `.lambdalog/`.

    `session` goes to `boto3.Session` (profile_name, …) and is only for AWS. ConfigError for a target that is none.
    Nothing is read, written or asked until a client is used.
    """
    where = find_target() if target is None else parse_target(target)
    if session and isinstance(where, Disk):
        raise ConfigError(f"{', '.join(session)}: only a session on AWS takes these; the store is {where}")
    return Cloud(where, clock=clock, session=session)


class Cloud:
    """The four clients, made on first use. Close it, or use it in a `with`.

    `store` is the log store and `root` its folder on disk; both are None on AWS.
    """

    def __init__(
        self, target: Disk | Aws, *, clock: Clock = SYSTEM, session: dict[str, Any] | None = None
    ) -> None:
        self.target = target
        self.clock = clock
        self._session_arguments = session or {}
        self._lock = threading.RLock()
        self._clients: dict[str, Any] = {}
        self._shared: dict[str, Any] = {}
        self._session: Any = None
        self.root: Path | None = target.path if isinstance(target, Disk) else None
        self.scope = Scope(region=target.region or region() if isinstance(target, Aws) else region())
        self.store: LogStore | None = None
        if self.root is not None:
            with at_a_desk():
                from lambdalog.store import LogStore

            self.store = LogStore(self.root, clock=clock, durability=log_durability())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def logs(self) -> CloudWatchLogsClient:
        """The CloudWatch Logs client."""
        client: CloudWatchLogsClient = self.client("logs")
        return client

    @property
    def sqs(self) -> SQSClient:
        """The SQS client."""
        client: SQSClient = self.client("sqs")
        return client

    @property
    def sns(self) -> SNSClient:
        """The SNS client."""
        client: SNSClient = self.client("sns")
        return client

    @property
    def lambda_(self) -> LambdaClient:
        """The Lambda client."""
        client: LambdaClient = self.client("lambda")
        return client

    def client(self, service: str) -> Any:
        """A client by boto3's name of its service: logs, sqs, sns or lambda.

        Also cloudwatch, for what metric filters found, and sts, for who one is.
        """
        if service not in SERVICES and service not in {"cloudwatch", "sts"}:
            raise ConfigError(f"there is no client for {service!r} here; there are {', '.join(SERVICES)}")
        with self._lock:
            if service not in self._clients:
                with at_a_desk():
                    self._clients[service] = self._make(service)
            return self._clients[service]

    def careful(self, service: str) -> Any:
        """A client that sends each request once, and waits as long as an invocation takes: for what must not happen twice.

        boto3's own would send it again where the connection broke. On disk it is the client of that name.
        """
        if self.root is not None:
            return self.client(service)
        with self._lock:
            key = f"{service}, careful"
            if key not in self._clients:
                self._clients[key] = self._boto3(
                    service,
                    retries={"total_max_attempts": 1},
                    read_timeout=LONGEST_SECONDS,
                    tcp_keepalive=True,
                )
            return self._clients[key]

    def boto3_client(self, service: str) -> Any:
        """boto3's own client of a service: on disk its requests are answered in this process, without a socket.

        What a client double can't have: botocore's events, retries and serialisation, as in production.
        """
        if self.root is None:
            return self.client(service)
        from lambdalog.wire import Exchange
        from lambdalog.wire.inprocess import boto3_client

        exchange = Exchange(
            lambda name, operation, params: self.client(name).call(operation, params), reader=self.reader
        )
        return boto3_client(service, exchange, region=self.scope.region)

    def reader(self, service: str, operation: str) -> Callable[[bytes], dict[str, Any] | None] | None:
        """What reads the JSON body of an operation on disk faster than by its model; None for most."""
        client: Double = self.client(service)
        return client.readers.get(operation)

    def shared(self, name: str, make: Callable[[], Any]) -> Any:
        """One thing for all who use this cloud, made on first use: what AWS counts together must be counted together."""
        with self._lock:
            if name not in self._shared:
                self._shared[name] = make()
            return self._shared[name]

    def close(self) -> None:
        """Let go of clients, processes and files."""
        with self._lock:
            # Lambda first: its workers use the others.
            for service in sorted(self._clients, key=lambda name: name != "lambda"):
                self._clients[service].close()
            self._clients = {}
            if self.store is not None:
                self.store.close()

    def _make(self, service: str) -> Any:
        if self.root is None or self.store is None:
            # A function's answer may take longer; whoever waits for one has a careful client.
            return self._boto3(service, read_timeout=60 if service == "lambda" else READ_SECONDS)
        match service:
            case "logs":
                from lambdalog.local.logs import Logs

                return Logs(
                    self.store,
                    scope=self.scope,
                    clock=self.clock,
                    sqs=lambda: self.sqs,
                    lambda_=lambda: self.lambda_,
                )
            case "cloudwatch":
                from lambdalog.local.cloudwatch import CloudWatch

                return CloudWatch(
                    self.client("logs"), lambda: self.client("sqs"), scope=self.scope, clock=self.clock
                )
            case "sts":
                from lambdalog.local.sts import Sts

                return Sts(scope=self.scope, clock=self.clock)
            case "sqs":
                from lambdalog.local.sqs import Sqs

                return Sqs(self.root, scope=self.scope, clock=self.clock, durability=durability())
            case "sns":
                from lambdalog.local.sns import Sns

                return Sns(
                    self.root,
                    scope=self.scope,
                    clock=self.clock,
                    sqs=self.sqs,
                    lambda_=lambda: self.lambda_,
                    durability=durability(),
                    trusted=commands_allowed(),
                )
            case _:
                from lambdalog.local.lambda_ import Lambda

                return Lambda(
                    self.root,
                    scope=self.scope,
                    clock=self.clock,
                    logs=self.logs,
                    sqs=self.sqs,
                    sns=lambda: self.sns,
                )

    def _boto3(self, service: str, **config: Any) -> Any:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, NoRegionError, ProfileNotFound

        try:
            if self._session is None:
                where = self.target.region if isinstance(self.target, Aws) else None
                self._session = boto3.Session(region_name=where, **self._session_arguments)
            return self._session.client(service, config=Config(connect_timeout=CONNECT_SECONDS, **config))
        except NoRegionError as error:
            raise ConfigError(
                "no region is set for AWS: name one as aws:REGION, or set AWS_REGION"
            ) from error
        except ProfileNotFound as error:
            raise ConfigError(f"{error}; see: aws configure list-profiles") from error
        except BotoCoreError as error:
            raise ConfigError(f"can't make a client for AWS: {error}") from error
        except ValueError as error:  # botocore's for an endpoint that is no URL
            raise ConfigError(f"can't make a client for AWS: {error}; see AWS_ENDPOINT_URL") from error
