"""The answer to a request for a service that isn't here, in the shape in which its client looks for an error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from lambdalog.wire.messages import Response
from lambdalog.wire.route import scope_of

if TYPE_CHECKING:
    from lambdalog.wire.messages import Request

CODE = "NotImplemented"


def not_here(request: Request) -> Response:
    """404, with what is here: JSON for who speaks AWS JSON, XML for S3, EC2 and the query protocol, text for a browser."""
    scope = scope_of(request)
    text = "no such service here; there are CloudWatch Logs, SQS, SNS, Lambda and STS"
    if scope is None and "x-amz-target" not in request.headers:
        return Response(404, {"content-type": "text/plain"}, f"{text}\n".encode())
    text = f"{scope or 'this service'} isn't served here, CloudWatch Logs, SQS, SNS, Lambda and STS are; "
    text += "a variable like AWS_ENDPOINT_URL_S3 leads the clients of one service elsewhere"
    kind = request.headers.get("content-type", "")
    if "x-amz-target" in request.headers or "json" in kind:
        body = json.dumps({"__type": CODE, "message": text})
        return Response(404, {"content-type": "application/json", "x-amzn-errortype": CODE}, body.encode())
    error = f"<Code>{CODE}</Code><Message>{escape(text)}</Message>"
    if scope == "s3":
        body = f"<Error>{error}</Error>"
    elif scope == "ec2":
        body = f"<Response><Errors><Error>{error}</Error></Errors></Response>"
    elif "x-www-form-urlencoded" in kind:
        body = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
    else:
        # REST: with JSON, or with XML; what both read is in a header.
        body = json.dumps({"message": text})
        return Response(404, {"content-type": "application/json", "x-amzn-errortype": CODE}, body.encode())
    return Response(404, {"content-type": "text/xml"}, f'<?xml version="1.0"?>{body}'.encode())
