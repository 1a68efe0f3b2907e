"""The Extensions API: who has registered, what each waits for, and what it is told.

External extensions are the executables in a layer's `extensions` folder; they register by their file's name. What
registers from within the runtime's process is an internal one, and hears of invocations only.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambdalog.runtime.http import Connection, Request
    from lambdalog.runtime.spec import FunctionSpec

PREFIX: Final = "/2020-01-01/extension/"
# The Telemetry API, and the Logs API before it.
TELEMETRY_PATHS: Final = frozenset({"/2022-07-01/telemetry", "/2020-08-15/logs"})
# "You can register up to 10 extensions for a function."
EXTENSIONS_MAX: Final = 10
_EVENTS: Final = frozenset({"INVOKE", "SHUTDOWN"})
_NAME: Final = re.compile(r"[^/\x00-\x1f]{1,128}")
OK: Final = b'{"status":"OK"}\n'


class Refused(Exception):
    """A request that is not taken: its status line, AWS's error type, and a text."""

    def __init__(self, status: str, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = json.dumps({"errorMessage": message, "errorType": error_type}).encode()


@dataclass(eq=False)
class Extension:
    """One that has registered. `waiting` is where it asks for its next event; `failed` the error that it reported."""

    name: str
    identifier: str
    events: frozenset[str]
    external: bool
    waiting: Connection | None = None
    asked: bool = False
    busy: bool = False
    failed: str | None = None
    queue: list[dict[str, Any]] = field(default_factory=list)


class Extensions:
    """The extensions of one environment, while its processes run."""

    def __init__(self, spec: FunctionSpec, launched: Iterable[str]) -> None:
        self._spec = spec
        self._launched = frozenset(launched)
        self._by_id: dict[str, Extension] = {}
        self.closed = False
        """Whether the init phase is over: nobody registers any more."""

    @property
    def all(self) -> list[Extension]:
        """Who has registered."""
        return list(self._by_id.values())

    @property
    def any(self) -> bool:
        """Whether anybody has, or may still."""
        return bool(self._launched or self._by_id)

    @property
    def external(self) -> frozenset[str]:
        """The names of those that were started as processes."""
        return self._launched

    def ready(self) -> bool:
        """Whether all that were started have registered, and all that registered wait for their first event."""
        names = {extension.name for extension in self._by_id.values() if extension.external}
        return self._launched <= names and all(extension.asked for extension in self._by_id.values())

    def idle(self) -> bool:
        """Whether all are done with the invocation that they were told of."""
        return not self._by_id or not any(extension.busy for extension in self._by_id.values())

    def tell(self, event: dict[str, Any]) -> None:
        """Give an event to all that registered for its type."""
        for extension in self._by_id.values():
            if event["eventType"] in extension.events:
                extension.busy = True
                extension.queue.append(event)
                _pass_on(extension)

    def forget(self, connection: Connection) -> None:
        """A connection has ended; whoever waited on it waits no more."""
        for extension in self._by_id.values():
            if extension.waiting is connection:
                extension.waiting = None

    def by_header(self, request: Request) -> Extension:
        """Who makes a request. Refused for one that has not registered."""
        identifier = request.headers.get("lambda-extension-identifier", "")
        try:
            uuid.UUID(identifier)
        except ValueError:
            raise Refused(
                "403 Forbidden", "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier"
            ) from None
        found = self._by_id.get(identifier)
        if found is None:
            raise Refused(
                "403 Forbidden", "Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}"
            )
        return found

    def handle(self, request: Request, connection: Connection) -> None:
        """Answer a request below PREFIX. Raises Refused."""
        match request.method, request.path.removeprefix(PREFIX):
            case "POST", "register":
                extension = self._register(request)
                body: dict[str, Any] = {
                    "functionName": self._spec.name,
                    "functionVersion": self._spec.version,
                    "handler": self._spec.handler,
                }
                if "accountid" in request.headers.get("lambda-extension-accept-feature", "").lower():
                    body["accountId"] = self._spec.account
                headers = {"Lambda-Extension-Identifier": extension.identifier}
                connection.send("200 OK", json.dumps(body).encode(), headers)
            case "GET", "event/next":
                extension = self.by_header(request)
                extension.waiting = connection
                extension.asked = True
                extension.busy = bool(extension.queue)
                _pass_on(extension)
            case "POST", "init/error" | "exit/error" as path:
                extension = self.by_header(request)
                extension.failed = request.headers.get("lambda-extension-function-error-type") or (
                    "Extension.InitError" if path == "init/error" else "Extension.ExitError"
                )
                connection.send("202 Accepted", OK)
            case _:
                raise Refused("404 Not Found", "Extension.NotFound", f"{request.method} {request.path}")

    def _register(self, request: Request) -> Extension:
        name = request.headers.get("lambda-extension-name", "")
        if not _NAME.fullmatch(name):
            raise Refused("403 Forbidden", "Extension.InvalidExtensionName", "Invalid Lambda-Extension-Name")
        if self.closed:
            raise Refused(
                "403 Forbidden", "Extension.RegistrationClosed", "Extension registration closed already"
            )
        if any(extension.name == name for extension in self._by_id.values()):
            raise Refused(
                "403 Forbidden", "Extension.AlreadyRegistered", f"Extension {name} already registered"
            )
        if len(self._by_id) >= EXTENSIONS_MAX:
            raise Refused(
                "403 Forbidden",
                "Extension.TooManyExtensions",
                f"Extension limit ({EXTENSIONS_MAX}) reached",
            )
        external = name in self._launched
        try:
            wanted = json.loads(request.body or b"{}").get("events", [])
            events = frozenset(str(event) for event in wanted)
        except (ValueError, AttributeError, TypeError):
            raise Refused(
                "400 Bad Request", "InvalidRequestFormat", "The body is no list of events"
            ) from None
        allowed = _EVENTS if external else frozenset({"INVOKE"})
        for event in sorted(events - allowed):
            raise Refused(
                "403 Forbidden",
                "Extension.InvalidEventType"
                if event not in _EVENTS
                else "ShutdownEventNotSupportedForInternalExtension",
                f"{event} is not supported",
            )
        extension = Extension(name, str(uuid.uuid4()), events, external)
        self._by_id[extension.identifier] = extension
        return extension


def invoke_event(request_id: str, deadline_ms: int, arn: str, trace_id: str | None) -> dict[str, Any]:
    """What extensions hear of an invocation."""
    event: dict[str, Any] = {
        "eventType": "INVOKE",
        "deadlineMs": deadline_ms,
        "requestId": request_id,
        "invokedFunctionArn": arn,
    }
    if trace_id:
        event["tracing"] = {"type": "X-Amzn-Trace-Id", "value": trace_id}
    return event


def shutdown_event(reason: str, deadline_ms: int) -> dict[str, Any]:
    """The environment ends; `reason` is spindown, timeout or failure."""
    return {"eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": deadline_ms}


def _pass_on(extension: Extension) -> None:
    if extension.waiting is not None and extension.queue:
        event = extension.queue.pop(0)
        extension.waiting.send(
            "200 OK",
            json.dumps(event).encode(),
            {"Lambda-Extension-Event-Identifier": str(uuid.uuid4())},
        )
        extension.waiting = None
