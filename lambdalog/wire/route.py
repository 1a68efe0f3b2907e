"""Which service a request is for, and in which protocol: by target header, signature scope, or dated path; not by host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from lambdalog.wire.messages import Request

_TARGETS: Final = {"Logs_20140328": "logs", "AmazonSQS": "sqs"}
_SCOPE: Final = re.compile(r"Credential=[^/\s,]+/\d{8}/[^/\s,]+/([a-z0-9-]+)/aws4_request")
_PRESIGNED: Final = re.compile(r"[^/]+/\d{8}/[^/]+/([a-z0-9-]+)/aws4_request")
_LAMBDA_PATH: Final = re.compile(r"/20\d\d-\d\d-\d\d/")
_QUERY_VERSIONS: Final = {"2010-03-31": "sns", "2012-11-05": "sqs", "2011-06-15": "sts"}


class NotRouted(Exception):
    """The request is for none of the services that are here."""


def find_service(request: Request) -> tuple[str, str]:
    """(botocore's name of the service, protocol: json, query or rest-json). NotRouted if it is for none."""
    target = request.headers.get("x-amz-target", "").partition(".")[0]
    if target in _TARGETS:
        return _TARGETS[target], "json"
    if _LAMBDA_PATH.match(request.path):
        return "lambda", "rest-json"
    if is_confirmation(request):
        return "sns", "query"
    scope = scope_of(request)
    if scope in {"sns", "sqs", "sts"}:
        return scope, "query"
    version = parse_qs(request.body.decode("latin-1")[:65536]).get("Version", [""])[0]
    if version in _QUERY_VERSIONS:
        return _QUERY_VERSIONS[version], "query"
    raise NotRouted


def scope_of(request: Request) -> str | None:
    """The service that a request was signed for, as its signature's scope calls it; None for an unsigned one."""
    scope = _SCOPE.search(request.headers.get("authorization", ""))
    if scope is None and "X-Amz-Credential" in request.query:
        scope = _PRESIGNED.match(parse_qs(request.query).get("X-Amz-Credential", [""])[0])
    return None if scope is None else scope.group(1)


def is_confirmation(request: Request) -> bool:
    """Whether somebody visits the SubscribeURL that SNS has sent to an endpoint: its token is all that it needs.

    It is let in unsigned, so nothing that could be read as another request may be in it.
    """
    if request.method != "GET" or request.path != "/" or request.body or "x-amz-target" in request.headers:
        return False
    fields = parse_qs(request.query)
    return fields.get("Action") == ["ConfirmSubscription"] and "AuthenticateOnUnsubscribe" not in fields
