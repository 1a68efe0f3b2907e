"""Subscription filters: made, described, deleted. What they hand over is `delivery`'s business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lambdalog.arn import Arn
from lambdalog.local.logs.delivery import Deliveries, Destination, health_check
from lambdalog.local.logs.filters import PAGE, SUBSCRIPTION, Filters, Record, records

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable

# PutSubscriptionFilter: how many can be associated with a log group.
FILTERS_MAX: Final = 2


class Subscriptions(Filters):
    """The operations on subscription filters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deliveries = Deliveries(
            self._store, self._ledger, self.scope, self.clock, sqs=self._sqs, lambda_=self._lambda
        )

    def background(self) -> Iterable[tuple[str, Callable[[threading.Event], object]]]:
        """Deliveries."""
        return [*super().background(), ("subscriptions", self.deliveries.run)]

    def put_subscription_filter(
        self,
        *,
        logGroupName: str,
        filterName: str,
        filterPattern: str,
        destinationArn: str,
        roleArn: str | None = None,
        distribution: str = "ByLogStream",
        applyOnTransformedLogs: bool = False,
        fieldSelectionCriteria: str | None = None,
        emitSystemFields: list[str] | None = None,
    ) -> dict[str, Any]:
        """PutSubscriptionFilter: from now on, events that match are handed to a queue or a function."""
        pattern = self._pattern(filterPattern)
        self._group(logGroupName)
        destination = self._destination(destinationArn, roleArn)
        record: Record = {
            "pattern": filterPattern,
            "destination": destinationArn,
            "distribution": distribution,
            "applyOnTransformedLogs": applyOnTransformedLogs,
        }
        for key, value in (
            ("roleArn", roleArn),
            ("fieldSelectionCriteria", fieldSelectionCriteria),
            ("emitSystemFields", emitSystemFields),
        ):
            if value is not None:
                record[key] = value
        self._try_out(destination)
        self._put_filter(SUBSCRIPTION, logGroupName, filterName, pattern, record, most=FILTERS_MAX)
        self.deliveries.wake()
        return {}

    def describe_subscription_filters(
        self,
        *,
        logGroupName: str,
        filterNamePrefix: str | None = None,
        nextToken: str | None = None,
        limit: int = PAGE,
    ) -> dict[str, Any]:
        """DescribeSubscriptionFilters, in ASCII order."""
        found = sorted(
            (name, record)
            for name, record in records(self._group(logGroupName), SUBSCRIPTION).items()
            if name.startswith(filterNamePrefix or "")
        )
        page, token = self._page(found, [name for name, _ in found], limit, nextToken)
        response: dict[str, Any] = {
            "subscriptionFilters": [_shape(logGroupName, name, record) for name, record in page]
        }
        return response | ({"nextToken": token} if token else {})

    def delete_subscription_filter(self, *, logGroupName: str, filterName: str) -> dict[str, Any]:
        """DeleteSubscriptionFilter. What it has not handed over yet it never will."""
        self._delete_filter(
            SUBSCRIPTION, logGroupName, filterName, "The specified subscription filter does not exist."
        )
        return {}

    def _destination(self, text: str, role: str | None) -> Destination:
        try:
            arn = Arn.parse(text)
        except ValueError:
            raise self._invalid("Invalid destinationArn.") from None
        if arn.service == "lambda":
            if role is not None:
                raise self._invalid("destinationArn for vendor lambda cannot be used with roleArn")
            if self._lambda is not None:
                return Destination(arn, lambda_=self._lambda())
        elif arn.service == "sqs" and self._sqs is not None:
            return Destination(arn, sqs=self._sqs())
        raise self._invalid(
            f"PutSubscriptionFilter operation cannot work with destinationArn for vendor {arn.service}"
        )

    def _try_out(self, destination: Destination) -> None:
        """As AWS does: a stream is sent a message that asks after its health, a function is called dry."""
        try:
            if destination.sqs is not None:
                destination.send(health_check(self.clock.now_ms()), key="health")
            else:
                destination.try_out()
        except ClientError:
            if destination.sqs is not None:
                raise self._invalid(
                    "Could not deliver test message to specified SQS queue. Check if the given SQS queue exists."
                ) from None
            raise self._invalid(
                "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to "
                "execute your function."
            ) from None


def _shape(group: str, name: str, record: Record) -> dict[str, Any]:
    return {
        "filterName": name,
        "logGroupName": group,
        "filterPattern": record["pattern"],
        "destinationArn": record["destination"],
        "distribution": record["distribution"],
        "applyOnTransformedLogs": record["applyOnTransformedLogs"],
        "creationTime": record["created"],
        **{
            key: record[key]
            for key in ("roleArn", "fieldSelectionCriteria", "emitSystemFields")
            if key in record
        },
    }
