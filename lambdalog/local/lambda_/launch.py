"""From a function's record to what the runtime has to know of it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from lambdalog.local.lambda_.code import LOCAL_FOLDER, code_folder
from lambdalog.local.lambda_.functions import Functions
from lambdalog.local.lambda_.key import Undecryptable
from lambdalog.runtime import FunctionSpec
from lambdalog.runtime.packages import folder_state

if TYPE_CHECKING:
    from pathlib import Path

    from lambdalog.local.lambda_.room import Found

# How long a folder's state is believed before its files are looked at again.
RELOAD_SECONDS: Final = 0.25
# Of so many versions the specification is kept.
KEPT_MAX: Final = 500


class Launch(Functions):
    """Makes the specification of a version."""

    def __init__(self, *, root: Path, **shared: Any) -> None:
        super().__init__(**shared)
        self.root = root
        self.surroundings: dict[str, str] = {}
        """What every function finds besides its own variables, which come first: where the store is served."""
        self._states: dict[str, tuple[float, str]] = {}
        # What each was made of, and the specification: a version that stays as it is is made once.
        self._specs: dict[tuple[str, str], tuple[tuple[object, ...], FunctionSpec]] = {}

    def spec(self, found: Found) -> FunctionSpec:
        """What the runtime has to know of a version. KMSAccessDeniedException if its environment can't be decrypted."""
        code = found.version["code"]
        state = (
            self._state(code_folder(self.root, code)) if code["kind"] == LOCAL_FOLDER else code.get("id", "")
        )
        made_of = (found.version, found.record.get("recursive_loop"), self.surroundings, state)
        key = found.name, found.config["Version"]
        known = self._specs.get(key)
        if known is None or known[0] != made_of:
            if len(self._specs) >= KEPT_MAX:
                self._specs.clear()
            known = self._specs[key] = made_of, self._spec(found, state)
        return known[1]

    def _spec(self, found: Found, state: str) -> FunctionSpec:
        config, code = found.config, found.version["code"]
        try:
            variables = self.surroundings | self.variables(found.version, found.name)
        except Undecryptable as error:
            raise self.undecryptable(str(error)) from None
        # A function that asks for the store finds the one that runs it.
        variables.setdefault("LAMBDALOG_STORE", f"disk:{self.root}")
        logging = config["LoggingConfig"]
        return FunctionSpec(
            name=found.name,
            handler=config["Handler"],
            code=code_folder(self.root, code),
            arn=self.scope.function(found.name),
            log_group=logging["LogGroup"],
            version=config["Version"],
            runtime=config["Runtime"],
            memory=config["MemorySize"],
            timeout=float(config["Timeout"]),
            environment=variables,
            region=self.scope.region,
            account=self.scope.account,
            code_id=state,
            layers=self.layer_folders(config.get("Layers", [])),
            ephemeral_storage=config["EphemeralStorage"]["Size"],
            log_format=logging["LogFormat"],
            application_log_level=logging.get("ApplicationLogLevel"),
            system_log_level=logging.get("SystemLogLevel"),
            tracing=config["TracingConfig"]["Mode"],
            recursive_loop=found.record.get("recursive_loop", "Terminate"),
        )

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
