"""API Gateway's proxy events: REST APIs (version 1.0) and HTTP APIs (2.0)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """A request to an API. Header names are kept as they are given; `at` is epoch seconds."""

    method: str
    path: str
    body: str | None
    at: float
    request_id: str
    account: str
    region: str
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    stage: str = "prod"
    api: str = "lambdalog0"


def version_1(call: Call) -> dict[str, Any]:
    """A REST API's event."""
    host = f"{call.api}.execute-api.{call.region}.amazonaws.com"
    headers = {"Host": host, "User-Agent": "lambdalog", "X-Forwarded-For": "127.0.0.1"} | call.headers
    single, several = dict(call.query), _grouped(call.query)
    return {
        "resource": "/{proxy+}",
        "path": call.path,
        "httpMethod": call.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": single or None,
        "multiValueQueryStringParameters": several or None,
        "pathParameters": {"proxy": call.path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": call.account,
            "apiId": call.api,
            "domainName": host,
            "extendedRequestId": call.request_id,
            "httpMethod": call.method,
            "identity": {"sourceIp": "127.0.0.1", "userAgent": headers["User-Agent"]},
            "path": f"/{call.stage}{call.path}",
            "protocol": "HTTP/1.1",
            "requestId": call.request_id,
            "requestTime": _apache_time(call.at),
            "requestTimeEpoch": int(call.at * 1000),
            "resourceId": "proxy",
            "resourcePath": "/{proxy+}",
            "stage": call.stage,
        },
        "body": call.body,
        "isBase64Encoded": False,
    }


def version_2(call: Call) -> dict[str, Any]:
    """An HTTP API's event; header names are in small letters, repeated parameters joined by commas."""
    host = f"{call.api}.execute-api.{call.region}.amazonaws.com"
    given = {name.lower(): value for name, value in call.headers.items()}
    headers = {"host": host, "user-agent": "lambdalog", "x-forwarded-for": "127.0.0.1"} | given
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": call.path,
        "rawQueryString": "&".join(f"{name}={value}" for name, value in call.query),
        "headers": headers,
    }
    if call.query:
        event["queryStringParameters"] = {
            name: ",".join(values) for name, values in _grouped(call.query).items()
        }
    event["requestContext"] = {
        "accountId": call.account,
        "apiId": call.api,
        "domainName": host,
        "domainPrefix": call.api,
        "http": {
            "method": call.method,
            "path": call.path,
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": headers["user-agent"],
        },
        "requestId": call.request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": _apache_time(call.at),
        "timeEpoch": int(call.at * 1000),
    }
    if call.body is not None:
        event["body"] = call.body
    return event | {"isBase64Encoded": False}


def _grouped(pairs: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _apache_time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d/%b/%Y:%H:%M:%S +0000}"
