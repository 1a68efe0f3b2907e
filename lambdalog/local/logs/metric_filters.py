"""Metric filters: made, described, tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.logs.filters import METRIC, PAGE, Filters, Record, records
from lambdalog.local.logs.metric_feed import MetricFeed
from lambdalog.local.logs.transformation import Invalid, transformation

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable

    from lambdalog.local.logs.ledger import Value

# PutMetricFilter: how many can be associated with a log group.
FILTERS_MAX: Final = 100


class MetricFilters(Filters):
    """The operations on metric filters. The values they find are CloudWatch's: `local.cloudwatch`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._feed = MetricFeed(self._store, self._ledger)

    def background(self) -> Iterable[tuple[str, Callable[[threading.Event], object]]]:
        """The values of metric filters."""
        return [*super().background(), ("metrics", self._feed.run)]

    def metric_values(self, namespace: str, name: str, start: int, end: int) -> list[Value]:
        """A metric's values of the minutes that begin in [start, end), epoch ms; up to what is written now."""
        self._try(self._feed.catch_up)
        return list(self._ledger.values(namespace, name, start, end)) if self._ledger.exists else []

    def metrics(self) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
        """(namespace, name, dimensions) of all metrics that metric filters have found values for."""
        self._try(self._feed.catch_up)
        return self._ledger.metrics() if self._ledger.exists else []

    def put_metric_filter(
        self,
        *,
        logGroupName: str,
        filterName: str,
        filterPattern: str,
        metricTransformations: list[dict[str, Any]],
        applyOnTransformedLogs: bool = False,
        fieldSelectionCriteria: str | None = None,
        emitSystemFieldDimensions: list[str] | None = None,
    ) -> dict[str, Any]:
        """PutMetricFilter: from now on, events that match become values of a metric."""
        pattern = self._pattern(filterPattern)
        try:
            for each in metricTransformations:
                transformation(each, pattern)
        except Invalid as error:
            raise self._invalid(str(error)) from None
        record: Record = {
            "pattern": filterPattern,
            "transformations": metricTransformations,
            "applyOnTransformedLogs": applyOnTransformedLogs,
        }
        if fieldSelectionCriteria is not None:
            record["fieldSelectionCriteria"] = fieldSelectionCriteria
        if emitSystemFieldDimensions is not None:
            record["emitSystemFieldDimensions"] = emitSystemFieldDimensions
        self._put_filter(METRIC, logGroupName, filterName, pattern, record, most=FILTERS_MAX)
        return {}

    def describe_metric_filters(
        self,
        *,
        logGroupName: str | None = None,
        filterNamePrefix: str | None = None,
        nextToken: str | None = None,
        limit: int = PAGE,
        metricName: str | None = None,
        metricNamespace: str | None = None,
    ) -> dict[str, Any]:
        """DescribeMetricFilters: of one group or of all, by the filter's or the metric's name; in ASCII order."""
        if (metricName is None) != (metricNamespace is None):
            raise self._invalid("metricName and metricNamespace must be specified together.")
        infos = self._try(self._store.catalog.groups) if logGroupName is None else [self._group(logGroupName)]
        found = [
            (name, info.name, record)
            for info in infos
            for name, record in records(info, METRIC).items()
            if name.startswith(filterNamePrefix or "") and _yields(record, metricNamespace, metricName)
        ]
        found.sort(key=lambda each: each[:2])
        page, token = self._page(found, [f"{name}:{group}" for name, group, _ in found], limit, nextToken)
        response: dict[str, Any] = {
            "metricFilters": [_shape(group, name, record) for name, group, record in page]
        }
        return response | ({"nextToken": token} if token else {})

    def delete_metric_filter(self, *, logGroupName: str, filterName: str) -> dict[str, Any]:
        """DeleteMetricFilter. What it has found stays."""
        self._delete_filter(METRIC, logGroupName, filterName, "The specified metric filter does not exist.")
        return {}

    def test_metric_filter(self, *, filterPattern: str, logEventMessages: list[str]) -> dict[str, Any]:
        """TestMetricFilter: which messages a pattern matches, and the fields that it finds in them."""
        pattern = self._pattern(filterPattern)
        return {
            "matches": [
                {"eventNumber": number, "eventMessage": message, "extractedValues": pattern.extract(message)}
                for number, message in enumerate(logEventMessages)
                if pattern.matches(message)
            ]
        }


def _yields(record: Record, namespace: str | None, name: str | None) -> bool:
    return name is None or any(
        each["metricName"] == name and each["metricNamespace"] == namespace
        for each in record["transformations"]
    )


def _shape(group: str, name: str, record: Record) -> dict[str, Any]:
    return {
        "filterName": name,
        "filterPattern": record["pattern"],
        "metricTransformations": record["transformations"],
        "creationTime": record["created"],
        "logGroupName": group,
        "applyOnTransformedLogs": record["applyOnTransformedLogs"],
        **{
            key: record[key]
            for key in ("fieldSelectionCriteria", "emitSystemFieldDimensions")
            if key in record
        },
    }
