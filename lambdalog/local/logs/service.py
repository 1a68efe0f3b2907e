"""The operations of CloudWatch Logs, all together."""

from __future__ import annotations

from typing import ClassVar

from lambdalog.local.logs.events import Events
from lambdalog.local.logs.groups import Groups
from lambdalog.local.logs.live_tail import LiveTail
from lambdalog.local.logs.metric_filters import MetricFilters
from lambdalog.local.logs.policies import Policies
from lambdalog.local.logs.queries import Queries
from lambdalog.local.logs.query_definitions import QueryDefinitions
from lambdalog.local.logs.streams import Streams
from lambdalog.local.logs.subscriptions import Subscriptions
from lambdalog.local.logs.tags import Tags


class Logs(
    Groups, Tags, Streams, Events, MetricFilters, Subscriptions, Queries, QueryDefinitions, Policies, LiveTail
):
    """A boto3-shaped CloudWatch Logs client on a `LogStore`.

    Times are epoch ms. Errors carry AWS's codes and texts; a disk that refuses is ServiceUnavailableException.
    """

    notes: ClassVar[dict[str, str]] = {
        "PutLogEvents": "The sequence token is always the same; AWS ignores it as well.",
        "GetLogEvents": "A token, as those of all operations here, holds for as long as its stream; AWS's expire after 24 hours.",
        "FilterLogEvents": "In patterns of JSON fields, true, false and null are asked for with IS TRUE, IS FALSE and IS NULL alone: "
        "`= true` is the text. A refused pattern's text says at which character, and what was expected there. A regular expression "
        "that repeats too much is refused, where AWS documents no bound: `%[a-z]{1,1000}%` and `%.{200}%`, but not `%.{100}%`.",
        "PutMetricFilter": "fieldSelectionCriteria and emitSystemFieldDimensions are kept, not applied. The values are read with "
        "the CloudWatch client, which the store has too. An event without a dimension's field yields no value.",
        "PutSubscriptionFilter": "Destinations: a function, and other than at AWS a queue, which gets AWS's message as its body, and "
        "first a CONTROL_MESSAGE as a stream does. `serve` delivers, at least once, whichever process writes; what a destination "
        "refuses is tried again, for as long as the events are kept. fieldSelectionCriteria and emitSystemFields are kept, not "
        "applied; that the function's policy lets CloudWatch Logs in is not asked for.",
        "StartQuery": "The commands fields, display, filter, stats, sort, limit, dedup, parse and unnest, with their functions; others "
        "(pattern, diff, anomaly, join, SOURCE …) and the languages SQL and PPL are refused. Percentiles are exact for a thousand "
        "values and then within half a percent; count_distinct is exact for four thousand. stddev is that of a population. Rows of "
        "stats come in the order of what they are grouped by. A comparison with a field that an event lacks does not hold. "
        "A regular expression that repeats too much is refused, as with FilterLogEvents.",
        "GetQueryResults": "recordsScanned and bytesScanned count what was decoded: events that their bytes ruled out are not in it.",
        "GetLogRecord": "@timestamp and @ingestionTime are epoch ms.",
        "PutResourcePolicy": "Policies of the account are kept and shown, but nothing asks them.",
        "DescribeLogStreams": "`storedBytes` is 0, as AWS has answered since 2019.",
    }
