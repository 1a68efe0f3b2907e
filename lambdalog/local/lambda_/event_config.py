"""Event-invoke configurations: how a qualifier's asynchronous events are retried, and where they end."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from lambdalog.arn import Arn
from lambdalog.local.lambda_.names import LATEST
from lambdalog.local.lambda_.room import Room, paged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.exceptions import ClientError

    from lambdalog.local.lambda_.catalog import Record

# What can be a destination; Lambda also knows EventBridge buses and buckets, which are not here.
_DESTINATIONS: Final = frozenset({"sqs", "sns", "lambda", "events", "s3"})
_SETTINGS: Final = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")


class EventConfig(Room):
    """Put-, Update-, Get-, List- and DeleteFunctionEventInvokeConfig(s)."""

    def put_function_event_invoke_config(
        self, *, FunctionName: str, Qualifier: str | None = None, **settings: Any
    ) -> dict[str, Any]:
        """PutFunctionEventInvokeConfig: overwrites."""
        name, qualifier = self._config_target(FunctionName, Qualifier)
        self._check_config(name, settings)
        record = settings | {"modified": self.clock.now()}
        self.catalog.put("event_config", name, qualifier, record)
        return self._config_shown(name, qualifier, record)

    def update_function_event_invoke_config(
        self, *, FunctionName: str, Qualifier: str | None = None, **settings: Any
    ) -> dict[str, Any]:
        """UpdateFunctionEventInvokeConfig: merges."""
        name, qualifier = self._config_target(FunctionName, Qualifier)
        self._check_config(name, settings)
        record = self.catalog.change(
            "event_config",
            name,
            qualifier,
            lambda found: found | settings | {"modified": self.clock.now()},
        )
        if record is None:
            raise self._no_config(name, qualifier)
        return self._config_shown(name, qualifier, record)

    def get_function_event_invoke_config(
        self, *, FunctionName: str, Qualifier: str | None = None
    ) -> dict[str, Any]:
        """GetFunctionEventInvokeConfig."""
        named = self.named(FunctionName, Qualifier)
        qualifier = named.qualifier or LATEST
        record = self.catalog.get("event_config", named.name, qualifier)
        if record is None:
            raise self._no_config(named.name, qualifier)
        return self._config_shown(named.name, qualifier, record)

    def list_function_event_invoke_configs(
        self, *, FunctionName: str, Marker: str | None = None, MaxItems: int | None = None
    ) -> dict[str, Any]:
        """ListFunctionEventInvokeConfigs: `$LATEST`, versions, aliases."""
        with self._existing():
            found = self.find(FunctionName)
        configs = [
            self._config_shown(found.name, qualifier, record)
            for qualifier, record in self.catalog.of("event_config", found.name).items()
        ]
        page, marker = paged(configs, Marker, MaxItems)
        return {"FunctionEventInvokeConfigs": page} | ({} if marker is None else {"NextMarker": marker})

    def delete_function_event_invoke_config(
        self, *, FunctionName: str, Qualifier: str | None = None
    ) -> dict[str, Any]:
        """DeleteFunctionEventInvokeConfig."""
        named = self.named(FunctionName, Qualifier)
        qualifier = named.qualifier or LATEST
        if not self.catalog.remove("event_config", named.name, qualifier):
            raise self._no_config(named.name, qualifier)
        return {}

    def event_config(self, name: str, qualifier: str) -> Record:
        """What is configured for a qualifier: MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig."""
        return self.catalog.get("event_config", name, qualifier) or {}

    # --- within this room

    def _config_target(self, text: str, qualifier: str | None) -> tuple[str, str]:
        with self._existing():
            found = self.find(text, qualifier)
        return found.name, found.qualifier or LATEST

    @contextmanager
    def _existing(self) -> Iterator[None]:
        """These operations have words of their own for a function that isn't there."""
        try:
            yield
        except self.exceptions.ResourceNotFoundException as error:
            if "not reachable" in str(error):
                raise
            raise self.not_found("The function doesn't exist.") from None

    def _no_config(self, name: str, qualifier: str) -> ClientError:
        arn = self.scope.function(name, qualifier)
        return self.not_found(f"The function {arn} doesn't have an EventInvokeConfig")

    def _check_config(self, name: str, settings: dict[str, Any]) -> None:
        if not any(key in settings for key in _SETTINGS):
            raise self.invalid("You must specify at least one of error handling or destination setting.")
        destinations = settings.get("DestinationConfig", {})
        for side in ("OnSuccess", "OnFailure"):
            arn = destinations.get(side, {}).get("Destination")
            if arn:
                self._check_destination(name, arn, destinations)

    def _check_destination(self, name: str, arn: str, destinations: dict[str, Any]) -> None:
        parsed = Arn.parse(arn)
        if parsed.service not in _DESTINATIONS:
            sides = ", ".join(
                f"{side[0].lower()}{side[1:]}={_java(side, destinations.get(side))}"
                for side in ("OnSuccess", "OnFailure")
            )
            raise self.invalid(f"The provided destination config DestinationConfig({sides}) is invalid.")
        if parsed.service in {"events", "s3"}:
            raise self.invalid(
                f"The destination ARN {arn} is invalid: a destination here is a queue, a topic or a function."
            )
        if parsed.service == "lambda":
            target = parsed.resource.split(":")[1]
            if target == name:
                raise self.invalid("You can't specify the function as a destination for itself.")
            if self.catalog.get("function", target) is None:
                raise self.invalid(f"The destination ARN {arn} is invalid.")

    def _config_shown(self, name: str, qualifier: str, record: Record) -> dict[str, Any]:
        destinations = record.get("DestinationConfig", {})
        shown: dict[str, Any] = {key: record[key] for key in _SETTINGS[:2] if key in record}
        return {
            "LastModified": datetime.fromtimestamp(record["modified"], UTC),
            "FunctionArn": self.scope.function(name, qualifier),
            **shown,
            "DestinationConfig": {
                "OnSuccess": destinations.get("OnSuccess", {}),
                "OnFailure": destinations.get("OnFailure", {}),
            },
        }


def _java(side: str, value: dict[str, str] | None) -> str:
    """A destination as Lambda prints it in its refusal."""
    return "null" if value is None else f"{side}(destination={value.get('Destination', 'null')})"
