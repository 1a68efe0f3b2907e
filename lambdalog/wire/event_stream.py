"""Event streams (application/vnd.amazon.eventstream): answers that go on, one frame an event.

A frame is its length, the length of its headers, a CRC of these two, headers, payload, and a CRC of all before it. See
"Amazon event stream encoding" of AWS's SDK documentation.
"""

from __future__ import annotations

import logging
import struct
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import orjson
from botocore.exceptions import ClientError

from lambdalog.wire.json_values import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from botocore.model import OperationModel

logger = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"
_STRING: Final = 7  # the type of a header's value
_FAILED: Final = "The stream has failed because of an unknown error, exception or failure."


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame. Headers' values are strings."""
    head = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack("!II", len(head) + len(payload) + 16, len(head))
    body = prelude + struct.pack("!I", crc32(prelude)) + head + payload
    return body + struct.pack("!I", crc32(body))


def _header(name: str, value: str) -> bytes:
    data = value.encode()
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _STRING, len(data)) + data


def stream_member(operation: OperationModel) -> tuple[str, Any] | None:
    """The name and shape of the member of an operation's output that is a stream of events."""
    if not operation.has_event_stream_output or operation.output_shape is None:
        return None
    shape: Any = operation.output_shape
    name = shape.event_stream_name
    return name, shape.members[name]


def frames(
    events: Iterable[Mapping[str, Any]], shape: Any, initial: Mapping[str, Any] | None
) -> Iterator[bytes]:
    """The frames of events as a boto3 client yields them: `{"sessionUpdate": {...}}`.

    `initial` is the rest of the response, which goes first in the JSON protocols. An error on the way is the last frame:
    a ClientError is an exception of the stream's, any other is logged and told without its words.
    """
    if initial is not None:
        yield frame(_event("initial-response", "application/json"), orjson.dumps(initial))
    try:
        for event in events:
            for name, value in event.items():
                yield _encoded(name, value, shape.members[name])
    except ClientError as error:
        found = error.response["Error"]
        headers = {
            ":message-type": "exception",
            ":exception-type": found["Code"],
            ":content-type": "application/json",
        }
        yield frame(headers, orjson.dumps({"message": found.get("Message", "")}))
    except Exception:
        logger.exception("a stream of %s failed", shape.name)
        yield frame(
            {":message-type": "error", ":error-code": "InternalFailure", ":error-message": _FAILED}, b""
        )
    finally:
        # Whoever reads may leave early; a source that holds something open is told.
        if (close := getattr(events, "close", None)) is not None:
            close()


def _encoded(name: str, value: Mapping[str, Any], shape: Any) -> bytes:
    for member, member_shape in shape.members.items():
        if member_shape.serialization.get("eventpayload"):
            data = value.get(member, b"")
            if member_shape.type_name == "blob":
                return frame(_event(name, "application/octet-stream"), bytes(data))
            return frame(_event(name, "application/json"), orjson.dumps(to_json(data, member_shape)))
    return frame(_event(name, "application/json"), orjson.dumps(to_json(value, shape)))


def _event(name: str, content: str) -> dict[str, str]:
    return {":message-type": "event", ":event-type": name, ":content-type": content}
