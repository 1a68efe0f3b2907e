"""What an event source mapping may say, by the kind of its source. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from lambdalog.arn import Arn
from lambdalog.local.lambda_.configuration import Invalid
from lambdalog.local.lambda_.event_pattern import EventPattern, InvalidPattern

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["sqs", "dynamodb"]

FILTERS_MAX: Final = 5
_BATCH_DEFAULT: Final[dict[Kind, int]] = {"sqs": 10, "dynamodb": 100}
_STREAMS_ONLY: Final = (
    "StartingPosition",
    "StartingPositionTimestamp",
    "ParallelizationFactor",
    "BisectBatchOnFunctionError",
    "MaximumRetryAttempts",
    "MaximumRecordAgeInSeconds",
    "TumblingWindowInSeconds",
)
_NOT_HERE: Final = (
    "Topics",
    "Queues",
    "SourceAccessConfigurations",
    "SelfManagedEventSource",
    "AmazonManagedKafkaEventSourceConfig",
    "SelfManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
)
# What a mapping answers with, beside its names and states.
_SHOWN_ALWAYS: Final = ("BatchSize", "MaximumBatchingWindowInSeconds", "FunctionResponseTypes")


def kind_of(arn: str | None) -> Kind:
    """The kind of an event source. Invalid for one that isn't there."""
    if not arn:
        raise Invalid("Unrecognized event source.")
    try:
        parsed = Arn.parse(arn)
    except ValueError:
        raise Invalid("Unrecognized event source.") from None
    if parsed.service == "sqs":
        return "sqs"
    if parsed.service == "dynamodb" and "/stream/" in parsed.resource:
        return "dynamodb"
    raise Invalid("Unrecognized event source. Here these are SQS queues and DynamoDB streams.")


def new(arn: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a new mapping, with its kind's defaults; Invalid for what can't be."""
    kind = kind_of(arn)
    check(arn, params)
    if kind == "dynamodb" and params.get("StartingPosition") is None:
        raise Invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be "
            "null."
        )
    settings: dict[str, Any] = {
        "BatchSize": _BATCH_DEFAULT[kind],
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
    }
    if kind == "dynamodb":
        settings |= {
            "ParallelizationFactor": 1,
            "BisectBatchOnFunctionError": False,
            "MaximumRetryAttempts": -1,
            "MaximumRecordAgeInSeconds": -1,
            "TumblingWindowInSeconds": 0,
            "DestinationConfig": {"OnFailure": {}},
        }
    return merged(kind, settings, params)


def merged(kind: Kind, settings: dict[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Settings changed by what an update gives; Invalid if they don't fit together."""
    changed = settings | dict(params)
    if "FilterCriteria" in changed and not changed["FilterCriteria"].get("Filters"):
        del changed["FilterCriteria"]
    if not changed.get("ScalingConfig"):
        changed.pop("ScalingConfig", None)
    if "DestinationConfig" in changed:
        changed["DestinationConfig"] = {"OnFailure": changed["DestinationConfig"].get("OnFailure", {})}
    if kind == "sqs" and changed["BatchSize"] > 10 and not changed["MaximumBatchingWindowInSeconds"]:
        raise Invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    return changed


def check(arn: str, params: Mapping[str, Any]) -> None:
    """Refuse parameters that a source of this kind doesn't take: Invalid, with Lambda's text where it is known."""
    kind = kind_of(arn)
    for name in _NOT_HERE:
        if name in params:
            raise Invalid(f"Unsupported {name} parameter for given event source mapping type.")
    if kind == "sqs":
        for name in ("DestinationConfig", *_STREAMS_ONLY):
            if params.get(name) is not None:
                raise Invalid(f"Unsupported {name} parameter for given event source mapping type.")
        if arn.endswith(".fifo"):
            if params.get("BatchSize", 1) > 10:
                raise Invalid("Maximum batch size for a FIFO queue is 10.")
            if params.get("MaximumBatchingWindowInSeconds"):
                raise Invalid("Batching window is not supported for FIFO queues.")
    else:
        if params.get("ScalingConfig"):
            raise Invalid("Unsupported ScalingConfig parameter for given event source mapping type.")
        if params.get("StartingPosition") == "AT_TIMESTAMP":
            raise Invalid(f"Unsupported starting position for arn type: {arn}")
        if params.get("TumblingWindowInSeconds"):
            raise Invalid("TumblingWindowInSeconds: there are no tumbling windows here.")
        target = params.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
        if target and target.split(":")[2] not in {"sqs", "sns"}:
            raise Invalid(
                f"The destination ARN {target} is invalid: an on-failure destination here is a queue or a topic."
            )
    _check_filters(params.get("FilterCriteria") or {})


def _check_filters(criteria: Mapping[str, Any]) -> None:
    filters = criteria.get("Filters", [])
    if len(filters) > FILTERS_MAX:
        raise Invalid(f"Filter criteria can hold up to {FILTERS_MAX} filters.")
    for found in filters:
        try:
            EventPattern(found.get("Pattern") or "")
        except InvalidPattern:
            raise Invalid("Invalid filter pattern definition.") from None
