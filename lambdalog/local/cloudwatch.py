"""CloudWatch's metrics, listed and read: those that metric filters make, and what went through queues."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lambdalog.clock import SYSTEM
from lambdalog.local.base import Double
from lambdalog.local.logs.ledger import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from botocore.exceptions import ClientError

    from lambdalog.arn import Scope
    from lambdalog.clock import Clock
    from lambdalog.local.logs import Logs
    from lambdalog.local.sqs import Sqs

MINUTE: Final = 60
# GetMetricStatistics returns no more data points at once.
POINTS_MAX: Final = 1440
# GetMetricData takes no more queries at once.
QUERIES_MAX: Final = 500
PAGE: Final = 500
# What SQS tells of a queue, and what a store counts.
QUEUES: Final = "AWS/SQS"
_COUNTED: Final = {
    "NumberOfMessagesSent": "sent",
    "NumberOfMessagesReceived": "received",
    "NumberOfMessagesDeleted": "deleted",
}
_STATISTICS: Final = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


Dimensions = tuple[tuple[str, str], ...]


class CloudWatch(Double):
    """A boto3-shaped CloudWatch client on the values of a store's metric filters and queues. Times are aware datetimes."""

    service = "cloudwatch"
    constraint_code = "InvalidParameterValue"
    notes: ClassVar[dict[str, str]] = {
        "ListMetrics": "The metrics of metric filters, and of queues NumberOfMessagesSent, …Received and …Deleted (a day of them; a minute is one sample; who is killed takes the counts of its last second along).",
        "GetMetricStatistics": "Values by the minute; no percentiles (ExtendedStatistics).",
        "GetMetricData": "Metrics by MetricStat; no expressions, no percentiles or other extended statistics.",
    }

    def __init__(self, logs: Logs, sqs: Callable[[], Sqs], *, scope: Scope, clock: Clock = SYSTEM) -> None:
        """`sqs` gives the store's queues, where they are asked for."""
        super().__init__(scope=scope, clock=clock)
        self._logs = logs
        self._sqs = sqs

    def list_metrics(
        self,
        *,
        Namespace: str | None = None,
        MetricName: str | None = None,
        Dimensions: list[dict[str, str]] | None = None,
        NextToken: str | None = None,
        RecentlyActive: str | None = None,
        IncludeLinkedAccounts: bool = False,
        OwningAccount: str | None = None,
    ) -> dict[str, Any]:
        """ListMetrics: by namespace, name, and dimensions that they have."""
        del RecentlyActive, IncludeLinkedAccounts, OwningAccount
        found = [
            (namespace, name, dimensions)
            for namespace, name, dimensions in [*self._logs.metrics(), *self._of_queues(Namespace)]
            if Namespace in {None, namespace}
            and MetricName in {None, name}
            and all(_has(dict(dimensions), asked) for asked in Dimensions or ())
        ]
        begin = self._number(NextToken)
        response: dict[str, Any] = {
            "Metrics": [
                {"Namespace": namespace, "MetricName": name, "Dimensions": _pairs(dimensions)}
                for namespace, name, dimensions in found[begin : begin + PAGE]
            ]
        }
        return response | ({"NextToken": str(begin + PAGE)} if len(found) > begin + PAGE else {})

    def get_metric_statistics(
        self,
        *,
        Namespace: str,
        MetricName: str,
        StartTime: Any,
        EndTime: Any,
        Period: int,
        Dimensions: list[dict[str, str]] | None = None,
        Statistics: list[str] | None = None,
        ExtendedStatistics: list[str] | None = None,
        Unit: str | None = None,
    ) -> dict[str, Any]:
        """GetMetricStatistics: a metric's values over periods of whole minutes."""
        if not Statistics:
            raise self._invalid(
                "Percentiles are not kept here; ask for Statistics."
                if ExtendedStatistics
                else "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
                "MissingRequiredParameterException",
            )
        start, end = _seconds(StartTime), _seconds(EndTime)
        self._check_period(Period)
        if start >= end:
            raise self._invalid("The parameter StartTime must be less than the parameter EndTime.")
        if (end - start) / Period > POINTS_MAX:
            raise self._invalid(
                f"You have requested up to {round((end - start) / Period):,} datapoints, which exceeds the limit of "
                f"{POINTS_MAX:,}. You may reduce the datapoints requested by increasing Period, or decreasing the time "
                "range.",
                "InvalidParameterCombinationException",
            )
        periods = self._periods(Namespace, MetricName, Dimensions or [], start, end, Period, Unit)
        return {
            "Label": MetricName,
            "Datapoints": [
                {
                    "Timestamp": _moment(begin),
                    "Unit": unit,
                    **{name: _statistic(name, values) for name in Statistics},
                }
                for (begin, unit), values in sorted(periods.items())
            ],
        }

    def get_metric_data(
        self,
        *,
        MetricDataQueries: list[dict[str, Any]],
        StartTime: Any,
        EndTime: Any,
        NextToken: str | None = None,
        ScanBy: str = "TimestampDescending",
        MaxDatapoints: int | None = None,
        LabelOptions: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """GetMetricData: several metrics at once, each by one statistic."""
        del NextToken, MaxDatapoints, LabelOptions
        if len(MetricDataQueries) > QUERIES_MAX:
            raise self._invalid(
                f"The collection MetricDataQueries must not have a size greater than {QUERIES_MAX}.",
                "ValidationError",
            )
        start, end = _seconds(StartTime), _seconds(EndTime)
        results = []
        for number, query in enumerate(MetricDataQueries, 1):
            asked = query.get("MetricStat")
            if asked is None:
                raise self._invalid(
                    "Expressions are not evaluated here; ask by MetricStat.", "ValidationError"
                )
            if (stat := asked["Stat"]) not in _STATISTICS:
                # Only of anomaly detectors' statistics the model says which there are; they are the same.
                known = self.meta.service_model.shape_for("AnomalyDetectorMetricStat").metadata["pattern"]
                if re.fullmatch(known, stat):
                    what = "Percentiles are" if stat.startswith("p") else f"{stat} is"
                    raise self._invalid(f"{what} not computed here.", "ValidationError")
                raise self._invalid(
                    f"The value {stat} for parameter MetricDataQueries.member.{number}.MetricStat.Stat is not "
                    "a valid statistic.",
                    "ValidationError",
                )
            self._check_period(asked["Period"])
            metric = asked["Metric"]
            periods = self._periods(
                metric["Namespace"], metric["MetricName"], metric.get("Dimensions", []), start, end,
                asked["Period"], asked.get("Unit"),
            )  # fmt: skip
            points = sorted(
                (begin, _statistic(asked["Stat"], values)) for (begin, _), values in periods.items()
            )
            if ScanBy == "TimestampDescending":
                points.reverse()
            if query.get("ReturnData", True):
                results.append(
                    {
                        "Id": query["Id"],
                        "Label": query.get("Label", metric["MetricName"]),
                        "Timestamps": [_moment(begin) for begin, _ in points],
                        "Values": [value for _, value in points],
                        "StatusCode": "Complete",
                    }
                )
        return {"MetricDataResults": results, "Messages": []}

    def unknown_operation(self, operation: str) -> ClientError:
        """CloudWatch's words for what it doesn't have."""
        return self.error("InvalidAction", f"The action {operation} is not valid for this endpoint.")

    def _periods(
        self,
        namespace: str,
        name: str,
        dimensions: list[dict[str, str]],
        start: float,
        end: float,
        period: int,
        unit: str | None,
    ) -> dict[tuple[int, str], list[Value]]:
        """(beginning of a period, unit) → the values in it. The metric is the one with exactly these dimensions."""
        wanted = tuple(sorted((each["Name"], each["Value"]) for each in dimensions))
        periods: dict[tuple[int, str], list[Value]] = defaultdict(list)
        low, high = int(start // MINUTE * MINUTE), end
        for value in self._values(namespace, name, wanted, low * 1000, round(high * 1000)):
            if value.dimensions == wanted and unit in {None, value.unit}:
                begin = low + (value.minute // 1000 - low) // period * period
                periods[begin, value.unit].append(value)
        return periods

    def _of_queues(self, namespace: str | None) -> Iterator[tuple[str, str, Dimensions]]:
        """(namespace, name, dimensions) of the queues that anything went through."""
        if namespace in {None, QUEUES}:
            for queue in self._sqs().traffic.since(0):
                for name in _COUNTED:
                    yield QUEUES, name, (("QueueName", queue),)

    def _values(
        self, namespace: str, name: str, dimensions: Dimensions, start: int, end: int
    ) -> Iterable[Value]:
        """A metric's values of the minutes that begin in [start, end), epoch ms; others of its name may be among them."""
        if namespace != QUEUES:
            return self._logs.metric_values(namespace, name, start, end)
        if (counted := _COUNTED.get(name)) is None:
            return []
        return [
            Value(QUEUES, name, (("QueueName", queue),), "Count", minute.at, 1.0, count, count, count)
            for queue, minutes in self._sqs().traffic.since(start, dict(dimensions).get("QueueName")).items()
            for minute in minutes
            if minute.at < end
            for count in [float(getattr(minute, counted))]
        ]

    def _check_period(self, period: int) -> None:
        if period % MINUTE:
            raise self._invalid("The parameter Period must be a multiple of 60.")

    def _number(self, token: str | None) -> int:
        if token is None:
            return 0
        if not token.isascii() or not token.isdigit():
            raise self._invalid("The value for parameter NextToken is invalid.")
        return int(token)

    def _invalid(self, message: str, code: str = "InvalidParameterValue") -> ClientError:
        return self.error(code, message)


def _statistic(name: str, values: Iterable[Value]) -> float:
    values = list(values)
    match name:
        case "SampleCount":
            return sum(value.count for value in values)
        case "Sum":
            return sum(value.sum for value in values)
        case "Average":
            return sum(value.sum for value in values) / sum(value.count for value in values)
        case "Minimum":
            return min(value.least for value in values)
        case _:
            return max(value.most for value in values)


def _has(dimensions: dict[str, str], asked: dict[str, str]) -> bool:
    return asked["Name"] in dimensions and asked.get("Value") in {None, dimensions[asked["Name"]]}


def _pairs(dimensions: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions]


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _seconds(moment: Any) -> float:
    """Epoch seconds of what boto3 takes for a time: a datetime (without an offset it is UTC), a number, or a text."""
    if isinstance(moment, int | float):
        return float(moment)
    if isinstance(moment, str):
        moment = dt.datetime.fromisoformat(moment)
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()  # type: ignore[no-any-return]
