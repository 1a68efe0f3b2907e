"""lambdalog trigger sqs, dynamodb: event source mappings, on disk and on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lambdalog.cli.options import json_option, open_cloud, store_option, write_line
from lambdalog.cli.queue.find import arn_of, find_queue
from lambdalog.cli.records import json_line

if TYPE_CHECKING:
    from collections.abc import Callable

_SHARED = (
    click.option("--batch-size", type=click.IntRange(1, 10_000), metavar="N", help="Records at a time."),
    click.option(
        "--window", type=click.IntRange(0, 300), metavar="SECONDS", help="How long a batch is gathered."
    ),
    click.option(
        "--filter",
        "filters",
        multiple=True,
        metavar="PATTERN",
        help="An event pattern; one of them must match.",
    ),
    click.option(
        "--report-failures", is_flag=True, help="The function says which records failed (batchItemFailures)."
    ),
    click.option("--disabled", is_flag=True, help="Make it, but don't read yet."),
    json_option,
    store_option,
)


def _shared(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_SHARED):
        function = option(function)
    return function


@click.command(name="sqs")
@click.argument("queue")
@click.argument("function")
@click.option("--concurrency", type=click.IntRange(2, 1000), metavar="N", help="Batches at once, at most.")
@_shared
def sqs(queue: str, function: str, concurrency: int | None, **given: Any) -> None:
    """Invoke FUNCTION with batches of QUEUE's messages (a name or an ARN). The mapping's UUID is printed."""
    with open_cloud(given["store"]) as cloud:
        params = _parameters(given)
        if concurrency is not None:
            params["ScalingConfig"] = {"MaximumConcurrency": concurrency}
        _create(
            cloud, queue if queue.startswith("arn:") else _queue_arn(cloud, queue), function, params, given
        )


@click.command(name="dynamodb")
@click.argument("stream", metavar="STREAM-ARN")
@click.argument("function")
@click.option(
    "--from", "start", type=click.Choice(["latest", "trim-horizon"]), default="latest", show_default=True
)
@click.option("--retries", type=click.IntRange(-1, 10_000), metavar="N", help="-1: without end.")
@click.option("--max-age", type=click.IntRange(-1, 604_800), metavar="SECONDS", help="-1: any age.")
@click.option("--bisect", is_flag=True, help="Halve a batch that fails.")
@click.option("--on-failure", metavar="ARN|QUEUE", help="Where what is known of given-up records goes.")
@_shared
def dynamodb(
    stream: str,
    function: str,
    start: str,
    retries: int | None,
    max_age: int | None,
    bisect: bool,
    on_failure: str | None,
    **given: Any,
) -> None:
    """Invoke FUNCTION with batches of a table's changes. The mapping's UUID is printed.

    The stream is AWS's, or of whom AWS_ENDPOINT_URL_DYNAMODB_STREAMS names.
    """
    params = _parameters(given) | {"StartingPosition": start.upper().replace("-", "_")}
    if retries is not None:
        params["MaximumRetryAttempts"] = retries
    if max_age is not None:
        params["MaximumRecordAgeInSeconds"] = max_age
    if bisect:
        params["BisectBatchOnFunctionError"] = True
    with open_cloud(given["store"]) as cloud:
        if on_failure is not None:
            target = on_failure if on_failure.startswith("arn:") else _queue_arn(cloud, on_failure)
            params["DestinationConfig"] = {"OnFailure": {"Destination": target}}
        _create(cloud, stream, function, params, given)


def _parameters(given: dict[str, Any]) -> dict[str, Any]:
    params: dict[str, Any] = {"Enabled": not given["disabled"]}
    if given["batch_size"] is not None:
        params["BatchSize"] = given["batch_size"]
    if given["window"] is not None:
        params["MaximumBatchingWindowInSeconds"] = given["window"]
    if given["filters"]:
        params["FilterCriteria"] = {"Filters": [{"Pattern": pattern} for pattern in given["filters"]]}
    if given["report_failures"]:
        params["FunctionResponseTypes"] = ["ReportBatchItemFailures"]
    return params


def _queue_arn(cloud: Any, name: str) -> str:
    return arn_of(cloud.sqs, find_queue(cloud.sqs, name)[1])


def _create(cloud: Any, source: str, function: str, params: dict[str, Any], given: dict[str, Any]) -> None:
    client: Any = cloud.lambda_
    made = client.create_event_source_mapping(EventSourceArn=source, FunctionName=function, **params)
    made.pop("ResponseMetadata", None)
    if given["as_json"]:
        json_line(made)
    else:
        write_line(made["UUID"])
