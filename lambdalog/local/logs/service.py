"""The operations of CloudWatch Logs, all together."""

from __future__ import annotations

from typing import ClassVar

from lambdalog.local.logs.events import Events
from lambdalog.local.logs.groups import Groups
from lambdalog.local.logs.metric_filters import MetricFilters
from lambdalog.local.logs.streams import Streams
from lambdalog.local.logs.subscriptions import Subscriptions
from lambdalog.local.logs.tags import Tags


class Logs(Groups, Tags, Streams, Events, MetricFilters, Subscriptions):
    """A boto3-shaped CloudWatch Logs client on a `LogStore`.

    Times are epoch ms. Errors carry AWS's codes and texts; a disk that refuses is ServiceUnavailableException.
    """

    notes: ClassVar[dict[str, str]] = {
        "PutLogEvents": "The sequence token is always the same; AWS ignores it as well.",
        "PutMetricFilter": "fieldSelectionCriteria and emitSystemFieldDimensions are kept, not applied. The values are read with "
        "the CloudWatch client, which the store has too. An event without a dimension's field yields no value.",
        "PutSubscriptionFilter": "Destinations: a function, and other than at AWS a queue, which gets AWS's message as its body, and "
        "first a CONTROL_MESSAGE as a stream does. `serve` delivers, at least once, whichever process writes; what a destination "
        "refuses is tried again, for as long as the events are kept. fieldSelectionCriteria and emitSystemFields are kept, not "
        "applied; that the function's policy lets CloudWatch Logs in is not asked for.",
        "DescribeLogStreams": "`storedBytes` is 0, as AWS has answered since 2019.",
    }
