"""What the rooms of the Lambda service share: the catalog, how a function is found, and how a request is refused."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from lambdalog.clock import SYSTEM
from lambdalog.local.base import Double
from lambdalog.local.lambda_.constraints import violations
from lambdalog.local.lambda_.names import LATEST, FunctionName, Mismatch, is_version, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.exceptions import ClientError

    from lambdalog.arn import Scope
    from lambdalog.clock import Clock
    from lambdalog.local.lambda_.catalog import Catalog, Record
    from lambdalog.local.lambda_.key import StoreKey
    from lambdalog.local.lambda_.limits import Limits

REVISION_MISMATCH: Final = (
    "The Revision Id provided does not match the latest Revision Id. Call the {} API to retrieve the latest "
    "Revision Id"
)


class Found(NamedTuple):
    """A function that a request named, and the version that its qualifier leads to.

    `record` is the function's own record, `version` the version's: {"config", "code", "environment"}; `config` is as
    it is shown. `alias` is set where the qualifier is an alias's name, `choices` then has its versions with weights.
    """

    name: str
    qualifier: str | None
    record: Record
    version: Record
    alias: Record | None = None

    @property
    def config(self) -> dict[str, Any]:
        """The version's configuration, as kept: without its environment."""
        found: dict[str, Any] = self.version["config"]
        return found


class Room(Double):
    """Some operations of Lambda; the service is made of all rooms together."""

    service = "lambda"

    def __init__(
        self, *, scope: Scope, catalog: Catalog, key: StoreKey, limits: Limits, clock: Clock = SYSTEM
    ) -> None:
        super().__init__(scope=scope, clock=clock)
        self.catalog = catalog
        self.key = key
        self.limits = limits

    def check_limits(self, operation: str, params: dict[str, Any]) -> None:
        """ValidationException for what the service model forbids, in Lambda's words."""
        if found := violations(operation, params):
            raise self.error("ValidationException", str(found))

    # --- refusals

    def refusal(
        self, code: str, message: str, *, status: int = 400, who: str | None = "User", **fields: str
    ) -> ClientError:
        """Lambda's error as its clients have it: the message stands twice, and Type says whose fault it is."""
        named = "Message" if code in {"ResourceNotFoundException", "ServiceException"} else "message"
        if who is not None:
            fields["Type"] = who
        refused = self.error(code, message, status=status, **fields)
        cast("dict[str, Any]", refused.response)[named] = message
        return refused

    def invalid(self, message: str) -> ClientError:
        """InvalidParameterValueException."""
        return self.refusal("InvalidParameterValueException", message)

    def not_found(self, message: str) -> ClientError:
        """ResourceNotFoundException."""
        return self.refusal("ResourceNotFoundException", message, status=404)

    def no_function(self, name: str, qualifier: str | None = None) -> ClientError:
        """`Function not found: <arn>`."""
        return self.not_found(f"Function not found: {self.scope.function(name, qualifier)}")

    def functions_only(self) -> ClientError:
        """What was named is a version or an alias, and the operation is for functions."""
        return self.invalid(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
            "Please specify either a function name or an unqualified function ARN."
        )

    def undecryptable(self, where: str) -> ClientError:
        """KMSAccessDeniedException: the store's key is not the one that variables were encrypted with, or no key."""
        return self.refusal(
            "KMSAccessDeniedException",
            "Lambda was unable to decrypt the environment variables because KMS access was denied. Please check the "
            f"function's KMS key settings. KMS Exception: the key in {where} is not the one they were encrypted with.",
            status=502,
        )

    def conflict(self, message: str) -> ClientError:
        """ResourceConflictException."""
        return self.refusal("ResourceConflictException", message, status=409)

    def stale(self, source: str = "GetFunction/GetAlias") -> ClientError:
        """PreconditionFailedException: somebody else changed it since the caller looked."""
        return self.refusal("PreconditionFailedException", REVISION_MISMATCH.format(source), status=412)

    # --- finding

    def named(self, text: str, qualifier: str | None = None) -> FunctionName:
        """The function that a request names; refused where its parts contradict each other or it lies elsewhere."""
        try:
            found = parse(text, qualifier)
        except Mismatch:
            raise self.invalid(
                "The derived qualifier from the function name does not match the specified qualifier."
            ) from None
        except ValueError:
            raise self.error(
                "ValidationException", f"1 validation error detected: Value '{text}' at 'functionName'"
            ) from None
        if found.region is not None and found.region != self.scope.region:
            raise self.not_found(
                f"Functions from '{found.region}' are not reachable in this region ('{self.scope.region}')"
            )
        if found.account is not None and found.account != self.scope.account:
            # Nothing of another account can be seen from this one.
            operation = getattr(self._current, "operation", "GetFunction")
            raise self.error(
                "AccessDeniedException",
                f"User: arn:aws:iam::{self.scope.account}:root is not authorized to perform: lambda:{operation} on "
                f"resource: {text} because no resource-based policy allows the lambda:{operation} action",
                status=403,
            )
        return found

    def find(
        self, text: str, qualifier: str | None = None, *, shown: str | None = None, kept: bool = False
    ) -> Found:
        """The function that a request names, at its qualifier. `shown`: what the refusal's ARN is qualified with.

        `kept`: its records are only read, and not handed on: they may be those that another invocation has, too.
        An alias leads to its first version here; which one an invocation gets is drawn in `invocation`.
        """
        name = self.named(text, qualifier)
        get = self.catalog.seen if kept else self.catalog.get
        record = get("function", name.name)
        if record is None:
            raise self.no_function(name.name, name.qualifier or shown)
        if name.qualifier in {None, LATEST}:
            return Found(name.name, name.qualifier, record, record)
        assert name.qualifier is not None
        alias = None if is_version(name.qualifier) else get("alias", name.name, name.qualifier)
        number = name.qualifier if alias is None else alias["version"]
        version = record if number == LATEST else get("version", name.name, number)
        if version is None:
            raise self.no_function(name.name, name.qualifier)
        return Found(name.name, name.qualifier, record, version, alias)

    def change_function(
        self, name: str, change: Callable[[Record], None], revision: str | None = None
    ) -> Record:
        """Change a function's record in a transaction; refused if it is gone, or not at the caller's revision."""
        with self.catalog.transaction():
            record = self.catalog.get("function", name)
            if record is None:
                raise self.no_function(name)
            if revision is not None and revision != record["config"]["RevisionId"]:
                raise self.stale()
            change(record)
            self.catalog.put("function", name, "", record)
        return record

    # --- what records are stamped with

    def now_text(self) -> str:
        """The time as Lambda writes it into configurations: 2026-01-02T03:04:05.678+0000."""
        return datetime.fromtimestamp(self.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"

    @staticmethod
    def new_revision() -> str:
        """A RevisionId."""
        return str(uuid.uuid4())


def paged(
    items: list[Any], marker: str | None, most: int | None, *, default: int = 50
) -> tuple[list[Any], str | None]:
    """A page of a list, and the marker of the next one; the marker is the position, as text."""
    start = int(marker) if marker is not None and marker.isascii() and marker.isdigit() else 0
    count = min(most or default, default)
    page = items[start : start + count]
    return page, str(start + count) if start + count < len(items) else None
