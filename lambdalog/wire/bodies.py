"""How long a request's body may be, by service, and bodies that come packed."""

from __future__ import annotations

import gzip
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lambdalog.wire.messages import Request

_MB: Final = 1024 * 1024

# Room for what the services allow, and for what JSON, base64 and forms make of it: 1 MB of log events, of messages; a zip
# of 50 MB. What is longer by their own rules is refused in their own words, by whoever knows the operation.
BODY_MAX: Final = {"logs": 8 * _MB, "sqs": 8 * _MB, "sns": 4 * _MB, "lambda": 72 * _MB, "sts": _MB}


class TooLong(Exception):
    """A body is longer than its service takes."""


class NotPacked(Exception):
    """A body is not packed as its header says."""


def unpacked(request: Request, most: int) -> Request:
    """The request with its body as it was before gzip. TooLong above `most` bytes: no more than that is unpacked."""
    if request.headers.get("content-encoding", "").lower() != "gzip":
        return request
    try:
        with gzip.GzipFile(fileobj=BytesIO(request.body)) as file:
            body = file.read(most + 1)
    except (OSError, EOFError, zlib.error):
        raise NotPacked("the body is not gzip") from None
    if len(body) > most:
        raise TooLong("the request is too large")
    return request._replace(body=body)
