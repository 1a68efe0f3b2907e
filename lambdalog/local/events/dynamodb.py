"""Records of DynamoDB streams."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

Change = Literal["INSERT", "MODIFY", "REMOVE"]


def typed(value: Any) -> dict[str, Any]:
    """A JSON value as DynamoDB writes it: "x" → {"S": "x"}, 1 → {"N": "1"}; ValueError for what it has no type for."""
    match value:
        case bool():
            return {"BOOL": value}
        case None:
            return {"NULL": True}
        case int() | float() | Decimal():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case list():
            return {"L": [typed(item) for item in value]}
        case dict():
            return {"M": {key: typed(item) for key, item in value.items()}}
        case _:
            raise ValueError(f"{type(value).__name__} is no value of DynamoDB's")


def stream_event(
    change: Change,
    *,
    stream_arn: str,
    keys: dict[str, Any],
    old: dict[str, Any] | None,
    new: dict[str, Any] | None,
    at: float,
    region: str,
    sequence: int = 1,
    event_id: str,
) -> dict[str, Any]:
    """The event of one change; keys and images are plain JSON, and written in DynamoDB's types."""
    images = {}
    if new is not None:
        images["NewImage"] = {name: typed(value) for name, value in new.items()}
    if old is not None:
        images["OldImage"] = {name: typed(value) for name, value in old.items()}
    found = {
        "ApproximateCreationDateTime": float(int(at)),
        "Keys": {name: typed(value) for name, value in keys.items()},
        **images,
        "SequenceNumber": f"{sequence:021d}",
        "SizeBytes": len(repr(images)),
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    return {
        "Records": [
            {
                "eventID": event_id,
                "eventName": change,
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": region,
                "dynamodb": found,
                "eventSourceARN": stream_arn,
            }
        ]
    }
