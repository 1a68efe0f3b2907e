"""The operations of Lambda."""

from __future__ import annotations

import base64
import json
import re
import sys
import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from lambdalog.clock import SYSTEM
from lambdalog.deadletter import DeadLetter, DeadLetters
from lambdalog.errors import PackageError, StoreError
from lambdalog.local.base import Double
from lambdalog.local.lambda_.catalog import Catalog
from lambdalog.runtime import FunctionSpec, Outcome, Runtime, Throttled
from lambdalog.runtime.async_events import AsyncEvents, Attempt, Policy, Worker
from lambdalog.runtime.packages import folder_state, sha256, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    from lambdalog.arn import Scope
    from lambdalog.clock import Clock
    from lambdalog.runtime.async_events import Ending, Event

# Code that is run where it lies: Code={"S3Bucket": LOCAL_FOLDER, "S3Key": "/absolute/folder"}.
LOCAL_FOLDER: Final = "local-folder"
SYNC_PAYLOAD_MAX: Final = 6_291_456
ASYNC_PAYLOAD_MAX: Final = 1_048_576
# From the page of Lambda quotas: 15 minutes, 10,240 MB. The service model states neither.
TIMEOUT_MAX: Final = 900
MEMORY_MAX: Final = 10_240
ROLE: Final = "arn:aws:iam::000000000000:role/lambdalog"
ACCOUNT_CONCURRENCY: Final = 1000
UNRESERVED_MIN: Final = 100
# How long a folder's state is believed before its files are looked at again.
RELOAD_SECONDS: Final = 0.25
_LEVELS: Final = {"LogFormat": "Text"}


class Lambda(Double):
    """A boto3-shaped Lambda client. Functions run as processes of this machine; `close` ends all of them."""

    service = "lambda"
    constraint_code = "ValidationException"
    notes: ClassVar[dict[str, str]] = {
        "CreateFunction": f"Code is a ZipFile, or S3Bucket `{LOCAL_FOLDER}` with a folder as S3Key, run in place and "
        "reloaded when a file changes. The role is kept and not assumed. Functions are Active at once.",
        "Invoke": "Python functions. Reserved concurrency is counted within one process.",
    }

    def __init__(
        self,
        root: Path,
        *,
        scope: Scope,
        clock: Clock = SYSTEM,
        logs: Any,
        sqs: SQSClient,
        sns: Callable[[], SNSClient],
        runtime: Runtime | None = None,
    ) -> None:
        super().__init__(scope=scope, clock=clock)
        self._root = root
        self._catalog = Catalog(root)
        self._events = AsyncEvents(root, clock=clock)
        self._runtime = runtime or Runtime(logs=logs, clock=clock)
        self._sqs = sqs
        self._sns = sns
        self._states: dict[str, tuple[float, str]] = {}

    def close(self) -> None:
        """Kill all environments and close the databases."""
        self._runtime.close()
        self._catalog.close()
        self._events.close()

    # --- functions

    def create_function(
        self, *, FunctionName: str, Role: str, Code: dict[str, Any], **settings: Any
    ) -> dict[str, Any]:
        """CreateFunction."""
        name = _name(FunctionName)
        where, size, digest = self._code(Code)
        self._check_settings(settings)
        config = {
            "FunctionName": name,
            "FunctionArn": self.scope.function(name),
            "Runtime": settings.get("Runtime", f"python{sys.version_info[0]}.{sys.version_info[1]}"),
            "Role": Role,
            "Handler": settings.get("Handler", ""),
            "CodeSize": size,
            "Description": settings.get("Description", ""),
            "Timeout": settings.get("Timeout", 3),
            "MemorySize": settings.get("MemorySize", 128),
            "LastModified": self._now(),
            "CodeSha256": digest,
            "Version": "$LATEST",
            "TracingConfig": {"Mode": settings.get("TracingConfig", {}).get("Mode", "PassThrough")},
            "RevisionId": str(uuid.uuid4()),
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Architectures": settings.get("Architectures", ["x86_64"]),
            "EphemeralStorage": settings.get("EphemeralStorage", {"Size": 512}),
            "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
            | settings.get("LoggingConfig", {}),
        }
        config |= {
            key: settings[key] for key in ("Environment", "DeadLetterConfig", "KMSKeyArn") if key in settings
        }
        record = {"config": config, "code": where, "tags": settings.get("Tags", {}), "invoke": {}}
        if not self._catalog.add(name, record):
            raise self.error("ResourceConflictException", f"Function already exist: {name}", status=409)
        return dict(config)

    def get_function(self, *, FunctionName: str, Qualifier: str | None = None) -> dict[str, Any]:
        """GetFunction."""
        record = self._record(FunctionName, Qualifier)
        response: dict[str, Any] = {
            "Configuration": record["config"],
            "Code": {"RepositoryType": "S3", "Location": f"file://{record['code']['folder']}"},
        }
        if record["tags"]:
            response["Tags"] = record["tags"]
        if "concurrency" in record:
            response["Concurrency"] = {"ReservedConcurrentExecutions": record["concurrency"]}
        return response

    def get_function_configuration(
        self, *, FunctionName: str, Qualifier: str | None = None
    ) -> dict[str, Any]:
        """GetFunctionConfiguration."""
        return dict(self._record(FunctionName, Qualifier)["config"])

    def list_functions(
        self,
        *,
        MasterRegion: str | None = None,
        FunctionVersion: str | None = None,
        Marker: str | None = None,
        MaxItems: int = 50,
    ) -> dict[str, Any]:
        """ListFunctions, by name."""
        del MasterRegion, FunctionVersion
        names = [name for name in self._catalog.names() if Marker is None or name > Marker]
        found = [self._catalog.get(name) for name in names[:MaxItems]]
        response: dict[str, Any] = {"Functions": [record["config"] for record in found if record is not None]}
        if len(names) > MaxItems:
            response["NextMarker"] = names[MaxItems - 1]
        return response

    def update_function_code(self, *, FunctionName: str, **code: Any) -> dict[str, Any]:
        """UpdateFunctionCode."""
        where, size, digest = self._code(code)

        def change(record: dict[str, Any]) -> None:
            record["code"] = where
            record["config"] |= {"CodeSize": size, "CodeSha256": digest} | self._revised()

        return self._change(FunctionName, change, code.get("RevisionId"))

    def update_function_configuration(self, *, FunctionName: str, **settings: Any) -> dict[str, Any]:
        """UpdateFunctionConfiguration."""
        self._check_settings(settings)
        revision = settings.pop("RevisionId", None)

        def change(record: dict[str, Any]) -> None:
            record["config"] |= settings | self._revised()

        return self._change(FunctionName, change, revision)

    def delete_function(self, *, FunctionName: str, Qualifier: str | None = None) -> dict[str, Any]:
        """DeleteFunction."""
        self._record(FunctionName, Qualifier)
        self._catalog.remove(_name(FunctionName))
        return {"StatusCode": 204}

    # --- invocation

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
        record = self._record(FunctionName, Qualifier)
        payload = _payload(Payload)
        limit = ASYNC_PAYLOAD_MAX if InvocationType == "Event" else SYNC_PAYLOAD_MAX
        if len(payload) > limit:
            raise self.error(
                "RequestTooLargeException",
                f"{len(payload)} byte payload is too large for the {InvocationType} invocation type (limit {limit} bytes)",
                status=413,
            )
        try:
            json.loads(payload)
        except ValueError as error:
            raise self.error(
                "InvalidRequestContentException", f"Could not parse request body into json: {error}"
            ) from None
        if InvocationType == "DryRun":
            return {"StatusCode": 204, "Payload": _body(b"")}
        if InvocationType == "Event":
            request_id = self._events.enqueue(_name(FunctionName), payload, qualifier=Qualifier or "$LATEST")
            response = {"StatusCode": 202, "Payload": _body(b"")}
            return response | {"ResponseMetadata": {"RequestId": request_id}}
        outcome = self.run(record, payload, client_context=ClientContext)
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

    def run(
        self,
        record: dict[str, Any],
        payload: bytes,
        *,
        request_id: str | None = None,
        client_context: str | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> Outcome:
        """Run a function's record now; the runtime's outcome. TooManyRequestsException where a limit is reached."""
        try:
            return self._runtime.invoke(
                self.spec(record),
                payload,
                request_id=request_id,
                client_context=client_context,
                on_line=on_line,
                reserved=record.get("concurrency"),
            )
        except Throttled as throttled:
            reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
            raise self._throttled(
                reason if throttled.reserved else "ConcurrentInvocationLimitExceeded"
            ) from None

    def spec(self, record: dict[str, Any]) -> FunctionSpec:
        """What the runtime has to know of a function's record."""
        config, code = record["config"], record["code"]
        folder = Path(code["folder"])
        variables = dict(config.get("Environment", {}).get("Variables", {}))
        # A function that asks for the store finds the one that runs it.
        variables.setdefault("LAMBDALOG_STORE", f"disk:{self._root}")
        return FunctionSpec(
            name=config["FunctionName"],
            handler=config["Handler"],
            code=folder,
            arn=config["FunctionArn"],
            log_group=config["LoggingConfig"]["LogGroup"],
            version=config["Version"],
            runtime=config["Runtime"],
            memory=config["MemorySize"],
            timeout=float(config["Timeout"]),
            environment=variables,
            region=self.scope.region,
            account=self.scope.account,
            code_id=self._state(folder) if code["kind"] == LOCAL_FOLDER else folder.name,
        )

    # --- asynchronous events

    @property
    def runtime(self) -> Runtime:
        """What runs the functions."""
        return self._runtime

    @property
    def events(self) -> AsyncEvents:
        """The queue of asynchronous events."""
        return self._events

    def worker(self, *, delay_scale: float = 1.0) -> Worker:
        """A worker that drains the asynchronous events; whoever serves the store runs some."""
        return Worker(self._events, self, clock=self.clock, delay_scale=delay_scale)

    def attempt(self, event: Event) -> Attempt:
        """Invoke an event's function, once."""
        record = self._catalog.get(event.function)
        if record is None:
            return Attempt(
                "error", f"Function not found: {self.scope.function(event.function, event.qualifier)}"
            )
        if record.get("concurrency") == 0:
            return Attempt("off", "The function's reserved concurrency is zero.")
        try:
            outcome = self.run(record, event.payload, request_id=event.request_id)
        except ClientError as error:
            return Attempt("throttled", error.response["Error"]["Message"])
        if outcome.function_error is None:
            return Attempt("ok")
        return Attempt("error", _error_message(outcome.payload))

    def policy(self, event: Event) -> Policy:
        """The event-invoke configuration of an event's function; no retries for one that is gone."""
        record = self._catalog.get(event.function)
        if record is None:
            return Policy(retries=0)
        config = record["invoke"].get(event.qualifier, {})
        policy = Policy(dead_letter=record["config"].get("DeadLetterConfig", {}).get("TargetArn") or None)
        if "MaximumRetryAttempts" in config:
            policy = replace(policy, retries=config["MaximumRetryAttempts"])
        if "MaximumEventAgeInSeconds" in config:
            policy = replace(policy, max_age=config["MaximumEventAgeInSeconds"])
        return policy

    def bury(self, event: Event, policy: Policy, ending: Ending, error_message: str) -> bool:
        """Send an event's dead letter to its function's target; False if it has none."""
        if policy.dead_letter is None:
            return False
        letter = DeadLetter(
            body=event.payload.decode("utf-8", "replace"),
            request_id=event.request_id,
            error_message=error_message or ending,
            error_code=200 if ending == "RetriesExhausted" else 429,
        )
        DeadLetters(self._sqs, self._sns() if ":sns:" in policy.dead_letter else None).send(
            policy.dead_letter, letter
        )
        return True

    def put_function_event_invoke_config(
        self, *, FunctionName: str, Qualifier: str = "$LATEST", **settings: Any
    ) -> dict[str, Any]:
        """PutFunctionEventInvokeConfig: overwrites."""
        return self._set_invoke_config(FunctionName, Qualifier, settings, merge=False)

    def update_function_event_invoke_config(
        self, *, FunctionName: str, Qualifier: str = "$LATEST", **settings: Any
    ) -> dict[str, Any]:
        """UpdateFunctionEventInvokeConfig: merges."""
        self.get_function_event_invoke_config(FunctionName=FunctionName, Qualifier=Qualifier)
        return self._set_invoke_config(FunctionName, Qualifier, settings, merge=True)

    def get_function_event_invoke_config(
        self, *, FunctionName: str, Qualifier: str = "$LATEST"
    ) -> dict[str, Any]:
        """GetFunctionEventInvokeConfig."""
        found = self._record(FunctionName, None)["invoke"].get(Qualifier)
        if found is None:
            arn = self.scope.function(_name(FunctionName), Qualifier)
            raise self.error(
                "ResourceNotFoundException",
                f"The function {arn} doesn't have an EventInvokeConfig",
                status=404,
                Type="User",
            )
        return self._invoke_config(FunctionName, Qualifier, found)

    def delete_function_event_invoke_config(
        self, *, FunctionName: str, Qualifier: str = "$LATEST"
    ) -> dict[str, Any]:
        """DeleteFunctionEventInvokeConfig."""
        self.get_function_event_invoke_config(FunctionName=FunctionName, Qualifier=Qualifier)
        self._catalog.change(_name(FunctionName), lambda record: record["invoke"].pop(Qualifier))
        return {"StatusCode": 204}

    # --- concurrency

    def put_function_concurrency(
        self, *, FunctionName: str, ReservedConcurrentExecutions: int
    ) -> dict[str, Any]:
        """PutFunctionConcurrency: 0 switches the function off."""
        name = _name(FunctionName)
        self._record(name, None)
        others = sum(
            (self._catalog.get(other) or {}).get("concurrency", 0)
            for other in self._catalog.names()
            if other != name
        )
        if (
            ReservedConcurrentExecutions
            and ACCOUNT_CONCURRENCY - others - ReservedConcurrentExecutions < UNRESERVED_MIN
        ):
            raise self.error(
                "InvalidParameterValueException",
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                f"below its minimum value of [{UNRESERVED_MIN}].",
            )
        self._catalog.change(name, lambda record: record.update(concurrency=ReservedConcurrentExecutions))
        return {"ReservedConcurrentExecutions": ReservedConcurrentExecutions}

    def get_function_concurrency(self, *, FunctionName: str) -> dict[str, Any]:
        """GetFunctionConcurrency: empty when nothing is reserved."""
        record = self._record(FunctionName, None)
        return {"ReservedConcurrentExecutions": record["concurrency"]} if "concurrency" in record else {}

    def delete_function_concurrency(self, *, FunctionName: str) -> dict[str, Any]:
        """DeleteFunctionConcurrency."""
        self._record(FunctionName, None)
        self._catalog.change(_name(FunctionName), lambda record: record.pop("concurrency", None))
        return {"StatusCode": 204}

    # --- what operations share

    def _record(self, name: str, qualifier: str | None) -> dict[str, Any]:
        record = self._catalog.get(_name(name))
        if record is None or qualifier not in {None, "$LATEST"}:
            arn = self.scope.function(_name(name), qualifier or ("$LATEST" if ":" not in name else None))
            raise self.error(
                "ResourceNotFoundException", f"Function not found: {arn}", status=404, Type="User"
            )
        return record

    def _change(
        self, name: str, change: Callable[[dict[str, Any]], None], revision: str | None
    ) -> dict[str, Any]:
        record = self._record(name, None)
        if revision is not None and revision != record["config"]["RevisionId"]:
            raise self.error(
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
                "retrieve the latest Revision Id",
                status=412,
                Type="User",
            )
        changed = self._catalog.change(_name(name), change)
        assert changed is not None
        return dict(changed["config"])

    def _code(self, code: dict[str, Any]) -> tuple[dict[str, str], int, str]:
        """({"kind", "folder"}, size, CodeSha256) of a Code parameter."""
        if "ZipFile" in code:
            data = bytes(code["ZipFile"])
            try:
                folder = unpack(data, self._root / "code")
            except PackageError as error:
                raise self.error("InvalidParameterValueException", str(error), Type="User") from None
            except StoreError as error:
                raise self.error("ServiceException", str(error), status=500) from None
            return {"kind": "zip", "folder": str(folder)}, len(data), sha256(data)
        if code.get("S3Bucket") == LOCAL_FOLDER:
            folder = Path(code["S3Key"])
            if not folder.is_absolute() or not folder.is_dir():
                raise self.error(
                    "InvalidParameterValueException", f"There is no folder {code['S3Key']}", Type="User"
                )
            return {"kind": LOCAL_FOLDER, "folder": str(folder)}, 0, sha256(str(folder).encode())
        raise self.error(
            "InvalidParameterValueException",
            f"Code is given as ZipFile, or as a folder: S3Bucket={LOCAL_FOLDER}, S3Key=/absolute/folder",
            Type="User",
        )

    def _check_settings(self, settings: dict[str, Any]) -> None:
        for name, most in (("Timeout", TIMEOUT_MAX), ("MemorySize", MEMORY_MAX)):
            if settings.get(name, 0) > most:
                raise self.error(
                    "ValidationException",
                    f"1 validation error detected: Value '{settings[name]}' at '{name[0].lower()}{name[1:]}' failed to "
                    f"satisfy constraint: Member must have value less than or equal to {most}",
                )
        variables = settings.get("Environment", {}).get("Variables", {})
        if sum(len(key.encode()) + len(value.encode()) for key, value in variables.items()) > 4096:
            raise self.error(
                "InvalidParameterValueException",
                "Lambda was unable to configure your environment variables because the environment variables you have "
                "provided exceeded the 4KB limit.",
                Type="User",
            )
        target = settings.get("DeadLetterConfig", {}).get("TargetArn", "")
        if target.endswith(".fifo"):
            raise self.error(
                "InvalidParameterValueException",
                "The dead letter target must not be a FIFO queue or topic.",
                Type="User",
            )

    def _set_invoke_config(
        self, name: str, qualifier: str, settings: dict[str, Any], *, merge: bool
    ) -> dict[str, Any]:
        self._record(name, None)
        record = self._catalog.change(
            _name(name),
            lambda found: found["invoke"].update(
                {
                    qualifier: (found["invoke"].get(qualifier, {}) if merge else {})
                    | settings
                    | {"modified": self.clock.now()}
                }
            ),
        )
        assert record is not None
        return self._invoke_config(name, qualifier, record["invoke"][qualifier])

    def _invoke_config(self, name: str, qualifier: str, found: dict[str, Any]) -> dict[str, Any]:
        shown = {key: value for key, value in found.items() if key != "modified"}
        return {
            "LastModified": datetime.fromtimestamp(found["modified"], UTC),
            "FunctionArn": self.scope.function(_name(name), qualifier),
            "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}},
            **shown,
        }

    def _throttled(self, reason: str) -> ClientError:
        return self.error(
            "TooManyRequestsException", "Rate Exceeded.", status=429, Reason=reason, Type="User"
        )

    def _now(self) -> str:
        return datetime.fromtimestamp(self.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"

    def _revised(self) -> dict[str, Any]:
        return {
            "LastModified": self._now(),
            "RevisionId": str(uuid.uuid4()),
            "LastUpdateStatus": "Successful",
        }

    def _state(self, folder: Path) -> str:
        key, now = str(folder), self.clock.monotonic()
        known = self._states.get(key)
        if known is not None and now - known[0] < RELOAD_SECONDS:
            return known[1]
        state = ""
        with suppress(OSError):  # a folder that is gone shows itself when the worker starts
            state = folder_state(folder)
        self._states[key] = (now, state)
        return state


def _name(name: str) -> str:
    """The function's name in a name, a partial or a whole ARN."""
    found = re.fullmatch(
        r"(?:arn:[^:]+:lambda:[^:]+:)?(?:\d{12}:)?(?:function:)?([a-zA-Z0-9-_]+)(?::[$\w-]+)?", name
    )
    return found.group(1) if found else name


def _payload(given: Any) -> bytes:
    if hasattr(given, "read"):
        given = given.read()
    raw = given.encode() if isinstance(given, str) else bytes(given)
    return raw or b"{}"


def _body(payload: bytes) -> StreamingBody:
    return StreamingBody(BytesIO(payload), len(payload))


def _error_message(payload: bytes) -> str:
    try:
        found = json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")
    return str(found.get("errorMessage", "")) if isinstance(found, dict) else str(found)
