"""S3's notifications (event version 2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote_plus, unquote_plus

if TYPE_CHECKING:
    from collections.abc import Mapping

EventName = Literal["ObjectCreated:Put", "ObjectRemoved:Delete"]


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One change of an object. Size in bytes and ETag are those of what was put; `at` is epoch seconds."""

    bucket: str
    key: str
    event: EventName
    at: float
    size: int = 0
    etag: str = ""
    sequencer: str = "0"


def notification(
    changes: list[ObjectChange],
    *,
    region: str,
    account: str,
    configuration: str = "lambdalog",
    request_id: str = "0000000000000000",
) -> dict[str, Any]:
    """The event of some changes."""
    return {"Records": [_record(change, region, account, configuration, request_id) for change in changes]}


def _record(
    change: ObjectChange, region: str, account: str, configuration: str, request_id: str
) -> dict[str, Any]:
    found: dict[str, Any] = {"key": quoted(change.key)}
    if change.event.startswith("ObjectCreated"):
        found |= {"size": change.size, "eTag": change.etag}
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": iso_milliseconds(change.at),
        "eventName": change.event,
        "userIdentity": {"principalId": f"AWS:{account}"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": request_id, "x-amz-id-2": request_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration,
            "bucket": {
                "name": change.bucket,
                "ownerIdentity": {"principalId": account},
                "arn": f"arn:aws:s3:::{change.bucket}",
            },
            "object": found | {"sequencer": change.sequencer},
        },
    }


def quoted(key: str) -> str:
    """A key as it stands in a notification: quoted as HTML forms do, but for slashes."""
    return quote_plus(key, safe="/")


def keys_of(event: Mapping[str, Any]) -> list[str]:
    """The keys in a notification, unquoted. ValueError for what is none."""
    try:
        return [unquote_plus(record["s3"]["object"]["key"]) for record in event["Records"]]
    except (KeyError, TypeError) as error:
        raise ValueError("not an S3 notification") from error


def is_test(event: object) -> bool:
    """Whether it is the message that S3 sends when notifications are switched on."""
    return isinstance(event, dict) and event.get("Event") == "s3:TestEvent"


def iso_milliseconds(seconds: float) -> str:
    """2026-01-02T03:04:05.678Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
