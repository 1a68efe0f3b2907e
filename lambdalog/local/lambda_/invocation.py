"""Invoke, and how an invocation finds its version."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import msgspec
from botocore.response import StreamingBody

from lambdalog.errors import ConfigError
from lambdalog.lineage import INVOCATIONS_MAX, arrive, caller_trace
from lambdalog.local.lambda_.aliases import choose
from lambdalog.local.lambda_.launch import Launch
from lambdalog.local.lambda_.names import LATEST
from lambdalog.local.lambda_.throttles import Throttle, Throttles
from lambdalog.runtime import Outcome, Runtime, Throttled

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.exceptions import ClientError

    from lambdalog.local.lambda_.room import Found
    from lambdalog.runtime.async_events import AsyncEvents


# Goes through a value without building it: what was built to be thrown away cost a tenth of an invocation.
_skip: Final = msgspec.json.Decoder(msgspec.Raw).decode


class Invocation(Launch):
    """Invoke."""

    def __init__(
        self,
        *,
        runtime: Runtime,
        events: AsyncEvents,
        random: Callable[[], float],
        throttles: Throttles,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self.throttles = throttles
        self._runtime = runtime
        self._events = events
        self._random = random

    @property
    def runtime(self) -> Runtime:
        """What runs the functions."""
        return self._runtime

    @property
    def events(self) -> AsyncEvents:
        """The queue of asynchronous events."""
        return self._events

    def invoke(
        self,
        *,
        FunctionName: str,
        InvocationType: str = "RequestResponse",
        LogType: str = "None",
        ClientContext: str | None = None,
        Payload: Any = b"",
        Qualifier: str | None = None,
        TenantId: str | None = None,
        DurableExecutionName: str | None = None,
    ) -> dict[str, Any]:
        """Invoke: RequestResponse runs the function and waits, Event accepts the event, DryRun only checks."""
        del TenantId, DurableExecutionName
        found = self.find(FunctionName, Qualifier, shown=LATEST, kept=True)
        payload = self.checked_payload(Payload, InvocationType)
        if InvocationType == "DryRun":
            return {"StatusCode": 204, "Payload": _body(b"")}
        if InvocationType == "Event":
            request_id = self._events.enqueue(
                found.name, payload, qualifier=found.qualifier or LATEST, trace=caller_trace()
            )
            response = {"StatusCode": 202, "Payload": _body(b"")}
            return response | {"ResponseMetadata": {"RequestId": request_id}}
        outcome = self.run(
            found, payload, client_context=decoded_context(ClientContext), trace_id=caller_trace()
        )
        response = {
            "StatusCode": 200,
            "ExecutedVersion": outcome.executed_version,
            "Payload": _body(outcome.payload),
        }
        if outcome.function_error is not None:
            response["FunctionError"] = outcome.function_error
        if LogType == "Tail":
            response["LogResult"] = base64.b64encode(outcome.log_tail).decode()
        return response | {"ResponseMetadata": {"RequestId": outcome.request_id}}

    def checked_payload(self, given: Any, invocation_type: str) -> bytes:
        """An event as it goes to a function. InvalidRequestContentException for what is no JSON.

        RequestEntityTooLargeException, as AWS names it (its model has RequestTooLargeException): of all invocations for what
        no request may have, of an Event also for what no queue may hold.
        """
        payload = _payload(given)
        most, queued = self.limits.sync_payload_max, self.limits.async_payload_max
        text = ""
        if len(payload) > most:
            text = f"Request must be smaller than {most} bytes for the InvokeFunction operation"
        elif invocation_type == "Event" and len(payload) > queued:
            text = f"{len(payload)} byte payload is too large for the Event invocation type (limit {queued} bytes)"
        if text:
            raise self.error("RequestEntityTooLargeException", text, status=413)
        try:
            _check_json(payload)
        except (ValueError, RecursionError) as error:
            raise self.error(
                "InvalidRequestContentException", f"Could not parse request body into json: {error}"
            ) from None
        return payload

    def run(
        self,
        found: Found,
        payload: bytes,
        *,
        request_id: str | None = None,
        client_context: str | None = None,
        trace_id: str | None = None,
        on_line: Callable[[str], None] | None = None,
        on_chunk: Callable[[bytes, str], None] | None = None,
    ) -> Outcome:
        """Run what a request named now; the runtime's outcome. TooManyRequestsException where a limit is reached.

        InvalidRuntimeException for one that can't be started; RecursiveInvocationException for a function that has run too often in the chain whose header is `trace_id`.
        """
        if found.record.get("concurrency") == 0:
            raise self._throttled(found, request_id, "ReservedFunctionConcurrentInvocationLimitExceeded")
        active = found.config["TracingConfig"]["Mode"] == "Active"
        arn = self.scope.function(found.name)
        trace = arrive(trace_id, arn, self.clock.now(), active=active)
        looping = trace.invocations > INVOCATIONS_MAX
        if looping and found.record.get("recursive_loop", "Terminate") == "Terminate":
            raise self.refusal(
                "RecursiveInvocationException",
                "Lambda has detected your function being invoked in a recursive loop with other AWS resources and stopped your "
                "function's invocation.",
            )
        try:
            return self._runtime.invoke(
                self.spec(self.drawn(found)),
                payload,
                request_id=request_id,
                # The context has the ARN as the caller wrote it.
                invoked_arn=self.scope.function(found.name, found.qualifier) if found.qualifier else arn,
                client_context=client_context,
                trace_id=trace.header,
                on_line=on_line,
                on_chunk=on_chunk,
                reserved=found.record.get("concurrency"),
            )
        except ConfigError as error:
            raise self.refusal("InvalidRuntimeException", str(error), status=502) from None
        except Throttled as throttled:
            reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
            raise self._throttled(
                found, request_id, reason if throttled.reserved else "ConcurrentInvocationLimitExceeded"
            ) from None

    def drawn(self, found: Found) -> Found:
        """What an alias leads to this time: its second version by its weight."""
        if found.alias is None or not found.alias["weights"]:
            return found
        number = choose(found.alias, self._random)
        if number == found.config["Version"]:
            return found
        version = self.catalog.seen("version", found.name, number)
        if version is None:
            raise self.no_function(found.name, found.qualifier)
        return found._replace(version=version)

    def _throttled(self, found: Found, request_id: str | None, reason: str) -> ClientError:
        refused = self.refusal("TooManyRequestsException", "Rate Exceeded.", status=429, Reason=reason)
        named = request_id or refused.response["ResponseMetadata"]["RequestId"]
        self.throttles.note(Throttle(self.clock.now_ms(), found.name, named, reason))
        return refused


def decoded_context(given: str | None) -> str | None:
    """The JSON in a client context; what is no base64 goes on as it is, for the runtime to refuse."""
    try:
        return given and base64.b64decode(given, validate=True).decode()
    except ValueError:
        return given


def _check_json(payload: bytes) -> None:
    """ValueError for what is no JSON, in Python's words."""
    try:
        if not payload.isascii():
            payload.decode()
        _skip(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # It knows one encoding and no half of a surrogate pair; and it is short of words.
        json.loads(payload)


def _payload(given: Any) -> bytes:
    if hasattr(given, "read"):
        given = given.read()
    raw = given.encode() if isinstance(given, str) else bytes(given)
    return raw or b"{}"


def _body(payload: bytes) -> StreamingBody:
    return StreamingBody(BytesIO(payload), len(payload))
