"""What is told of an invocation: its failure, an answer that is one, a deadline that comes near, and our own failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambdalog.instrument.levels import DEBUG, ERROR, WARN
from lambdalog.instrument.logger import Logger
from lambdalog.instrument.output import STDOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdalog.instrument.invocation import Invocation
    from lambdalog.instrument.options import Options


class Report:
    """Tells of the invocations of one handler, which is called `name`. Nothing here raises but `capture` and `note`."""

    def __init__(self, name: str, options: Options, log: Logger | None = None) -> None:
        self._name = name
        self._options = options
        # A failure is told at any level that is set.
        self._log = log or Logger({}, level=0)
        self._told: set[str] = set()

    def stuck(self, invocation: Invocation, event: Any, thread: int) -> Callable[[], None] | None:
        """In the watchdog's thread: where the handler's thread is now; gives what writes it down."""
        try:
            from lambdalog.failure import from_stack
            from lambdalog.instrument.capture import stuck_keys
            from lambdalog.instrument.deadline import stack_of

            left = int(invocation.remaining()) if invocation.remaining is not None else 0
            message = f"about to time out: {left} ms left"
            keys = stuck_keys(
                lambda local: from_stack(
                    "Sandbox.Timedout", message, stack_of(thread, invocation.coroutine), local
                ),
                scrubber=self._options.scrub,
                local=self._options.capture_locals,
                event=self._shown(event),
                running=invocation,
            )
        except Exception as error:  # noqa: BLE001 - ours, and none of the handler's
            self.own_failure("warn of a deadline", error)
            return None
        return lambda: self._log.tell(WARN, message, keys, invocation)

    def failed(self, error: BaseException, invocation: Invocation, event: Any) -> bool:
        """Tell a failure; whether it is permanent and its event is where it belongs, so that nobody tries again."""
        try:
            return self._told_failure(error, invocation, event)
        except Exception as own:  # noqa: BLE001 - ours, and none of the handler's
            self.own_failure("tell a failure", own)
            return False

    def _told_failure(self, error: BaseException, invocation: Invocation, event: Any) -> bool:
        if isinstance(error, (KeyboardInterrupt, GeneratorExit)) and not isinstance(
            error, self._options.permanent
        ):
            return False
        delivered, keys = self.capture(error, event, invocation)
        self.note(headline(keys), keys, invocation)
        return delivered

    def capture(
        self, error: BaseException, event: Any, invocation: Invocation
    ) -> tuple[bool, dict[str, Any]]:
        """The keys that tell a failure of `event`; before them, whether a dead letter was delivered for it."""
        from lambdalog.instrument.capture import tell

        options = self._options
        keys = tell(
            error,
            scrubber=options.scrub,
            local=options.capture_locals,
            event=self._shown(event),
            running=invocation,
            surroundings=True,
        )
        if not options.permanent or not isinstance(error, options.permanent):
            return False, keys
        target = options.dead_letter
        if target is None:
            return False, keys
        keys["permanent"] = True
        try:
            from lambdalog.instrument.permanent import letter, send

            keys["deadLetter"] = send(target, letter(event, keys["failure"], invocation.fields))
        except Exception as own:  # noqa: BLE001 - then Lambda's retries are the way on: the exception is raised
            keys["deadLetterError"] = _text(own)
            return False, keys
        return True, keys

    def answered(self, result: Any, invocation: Invocation, event: Any) -> None:
        """Tell an answer that is a failure though nothing was raised."""
        if type(result) is not dict or invocation.failed:
            return
        status = result.get("statusCode")
        if (status is None or (type(status) is int and status < 500)) and not result.get("batchItemFailures"):
            return
        try:
            self._told_answer(result, invocation, event)
        except Exception as error:  # noqa: BLE001 - ours, and none of the handler's
            self.own_failure("tell an answer", error)

    def _told_answer(self, result: dict[str, Any], invocation: Invocation, event: Any) -> None:
        from lambdalog.instrument.outcome import failed_answer

        found = failed_answer(result, self._name)
        if found is None:
            return
        from lambdalog.instrument.capture import tell_failure

        keys = tell_failure(found, scrubber=self._options.scrub, event=self._shown(event), running=invocation)
        self.note(headline(keys), keys, invocation)

    def note(self, message: str, keys: dict[str, Any], invocation: Invocation) -> None:
        """A line at ERROR about this invocation, which counts as failed from now on."""
        invocation.failed = True
        self._flush(invocation)
        self._log.tell(ERROR, message, keys, invocation)

    def _flush(self, invocation: Invocation) -> None:
        """What the level kept back, with the times it had."""
        ring = invocation.ring
        if ring is None:
            return
        for line in ring.drain():
            self._log.put(line, invocation)
        if ring.dropped:
            self._log.tell(DEBUG, f"{ring.dropped} earlier lines were not kept", {}, invocation)
            ring.dropped = 0

    def _shown(self, event: Any) -> Any:
        return event if self._options.capture_event else "(not captured)"

    def own_failure(self, what: str, error: Exception) -> None:
        """What of ours doesn't work is told once for each thing: a line a call would drown the function's own."""
        if what in self._told:
            return
        self._told.add(what)
        try:
            self._log.error(f"lambdalog could not {what}", lambdalogError=_text(error))
        except Exception:  # noqa: BLE001 - there is nobody left to tell
            STDOUT.lost += 1


def headline(keys: dict[str, Any]) -> str:
    """`ValueError: no order`, from the keys of a failure's line."""
    message = str(keys.get("errorMessage") or "")
    return f"{keys['errorType']}: {message}" if message else str(keys["errorType"])


def _text(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:1000]
    except Exception:  # noqa: BLE001 - its text is anybody's code
        return type(error).__name__
