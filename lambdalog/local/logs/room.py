"""What the operations of every kind share: the store, AWS's texts, pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lambdalog.clock import SYSTEM
from lambdalog.errors import PatternError, StoreError
from lambdalog.local.base import Double
from lambdalog.local.logs.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

    from lambdalog.arn import Scope
    from lambdalog.clock import Clock
    from lambdalog.query.pattern import Pattern
    from lambdalog.store import GroupInfo, LogStore

TAGS_MAX: Final = 50
NO_GROUP: Final = "The specified log group does not exist."
NO_STREAM: Final = "The specified log stream does not exist."
BAD_TOKEN: Final = "The specified nextToken is invalid."  # noqa: S105 - a text


class Room(Double):
    """One kind of CloudWatch Logs' operations, on a `LogStore`. `service.Logs` is all of them."""

    service = "logs"
    constraint_code = "InvalidParameterException"

    def __init__(
        self,
        store: LogStore,
        *,
        scope: Scope,
        clock: Clock = SYSTEM,
        sqs: Callable[[], SQSClient] | None = None,
        lambda_: Callable[[], LambdaClient] | None = None,
    ) -> None:
        """`sqs` and `lambda_` give the clients that subscription filters deliver with; None: there is no such service."""
        super().__init__(scope=scope, clock=clock)
        self._store = store
        self._ledger = Ledger(store.layout.log_tables)
        self._sqs = sqs
        self._lambda = lambda_

    def close(self) -> None:
        """Close the tables. The store belongs to whoever gave it."""
        self._ledger.close()

    def _invalid(self, message: str) -> Exception:
        return self.error("InvalidParameterException", message)

    def _missing_group(self) -> Exception:
        return self.error("ResourceNotFoundException", NO_GROUP)

    def _try(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except StoreError as error:
            raise self.error("ServiceUnavailableException", str(error), status=500) from error

    def _pattern(self, text: str) -> Pattern:
        # Patterns are read where one is asked for: of a command's start that would be an eighth.
        from lambdalog.query.pattern import parse

        try:
            return parse(text)
        except PatternError as error:
            raise self._invalid(
                f"Invalid filter pattern: {error}, at character {error.position + 1}"
            ) from None

    def _group(self, name: str) -> GroupInfo:
        info: GroupInfo | None = self._try(lambda: self._store.group(name))
        if info is None:
            raise self._missing_group()
        return info

    def _update(self, name: str, change: Any) -> None:
        try:
            self._try(lambda: self._store.update_group(name, change))
        except KeyError:
            raise self._missing_group() from None

    def _one_group(self, name: str | None, identifier: str | None) -> str:
        if name is not None and identifier is not None:
            raise self.error(
                "ValidationException",
                "LogGroup name and LogGroup Identifier are mutually exclusive parameters.",
            )
        if name is None and identifier is None:
            raise self.error(
                "ValidationException", "Exactly one of LogGroup Name and LogGroup Identifier is required."
            )
        return name if name is not None else group_name(identifier or "")

    def _check_length(self, *names: str) -> None:
        if any(len(name) > 512 for name in names):
            raise self._invalid(
                "Invalid LogGroup or LogStream, both must have length less than or equal to 512."
            )

    def _check_tag_count(self, tags: dict[str, str]) -> None:
        if len(tags) > TAGS_MAX:
            raise self.error("TooManyTagsException", f"A resource can have no more than {TAGS_MAX} tags.")

    def _page(
        self, found: list[Any], names: list[str], limit: int, token: str | None
    ) -> tuple[list[Any], str | None]:
        begin = 0
        if token is not None:
            # The token is the name that the last page ended with.
            try:
                name = bytes.fromhex(token).decode("utf-8", "surrogatepass")
            except ValueError:
                raise self._invalid(BAD_TOKEN) from None
            begin = next((index + 1 for index, other in enumerate(names) if other == name), len(names))
        page = found[begin : begin + limit]
        more = begin + limit < len(found)
        return page, names[begin + limit - 1].encode("utf-8", "surrogatepass").hex() if more else None


def group_name(identifier: str) -> str:
    """The group in an identifier: a name, or an ARN with or without `:*`."""
    if not identifier.startswith("arn:"):
        return identifier
    return identifier.split(":log-group:", 1)[-1].removesuffix(":*")
