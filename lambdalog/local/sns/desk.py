"""What all operations of SNS share: the database, topics by their ARN, errors, pages."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from lambdalog.clock import SYSTEM
from lambdalog.local.base import Double
from lambdalog.local.sns import rules, schema
from lambdalog.local.sns.catalog import Catalog
from lambdalog.local.sns.courier import Courier
from lambdalog.local.sns.endpoints import Endpoints
from lambdalog.local.sns.outbox import Outbox
from lambdalog.local.sqs.arrivals import Arrivals
from lambdalog.store.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from botocore.exceptions import ClientError
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

    from lambdalog.arn import Scope
    from lambdalog.clock import Clock
    from lambdalog.local.durability import Durability
    from lambdalog.local.sns.rules import Breach
    from lambdalog.local.sns.topic import Topic

PAGE: Final = 100


class Desk(Double):
    """The part of SNS that every operation stands on."""

    service = "sns"

    def __init__(
        self,
        root: Path,
        *,
        scope: Scope,
        clock: Clock = SYSTEM,
        sqs: SQSClient,
        lambda_: Callable[[], LambdaClient] | None = None,
        durability: Durability = "NORMAL",
        trusted: bool = False,
    ) -> None:
        super().__init__(scope=scope, clock=clock)
        path = root / "topics.sqlite"
        self._durability: Durability = durability
        self._tables = Tables(path, schema.SCHEMA, synchronous=durability, version=schema.VERSION)
        self._catalog = Catalog(self._tables)
        self._outbox = Outbox(self._tables)
        self._endpoints = Endpoints(
            scope=scope, sqs=sqs, lambda_=lambda_, outbox=root / "outbox", trusted=trusted
        )
        self._courier = Courier(
            self._catalog, self._outbox, self._endpoints, clock=clock, durability=durability
        )
        self._arrivals = Arrivals(path, clock, lambda: self._tables.connection)

    # --- errors

    def error(self, code: str, message: str = "", *, status: int = 400, **fields: Any) -> ClientError:
        """SNS's errors say that the sender is to blame."""
        found = super().error(code, message, status=status, **fields)
        details: Any = found.response["Error"]
        details["Type"] = "Sender"
        return type(found)(found.response, found.operation_name)

    def unknown_operation(self, operation: str) -> ClientError:
        """What SNS says of an operation that it doesn't know."""
        return self.error("InvalidAction", f"The action {operation} is not valid for this endpoint.")

    def _check(self, breach: Breach | None) -> None:
        if breach is not None:
            raise self.error(breach.code, breach.message, status=breach.status)

    def _invalid(self, what: str) -> ClientError:
        return self.error("InvalidParameter", f"Invalid parameter: {what}")

    # --- topics

    def _topic(self, arn: str, parameter: str = "TopicArn") -> Topic:
        self._check(rules.arn(parameter, arn, self.scope.region))
        topic = self._catalog.topic(arn)
        if topic is None:
            raise self.error("NotFound", "Topic does not exist", status=404)
        return topic

    # --- pages

    def _after(self, token: str | None) -> str:
        """The ARN after which a page begins."""
        if not token:
            return ""
        try:
            return base64.b64decode(token, validate=True).decode()
        except ValueError:
            raise self._invalid("NextToken") from None

    @staticmethod
    def _token(last: str) -> str:
        return base64.b64encode(last.encode()).decode()
