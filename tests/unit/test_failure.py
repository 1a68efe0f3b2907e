"""What a failure is, and when two are the same."""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING

import pytest

from lambdalog.failure import (
    Frame,
    fingerprint,
    from_exception,
    from_record,
)
from lambdalog.reported import from_dead_letter, from_lambda_error

if TYPE_CHECKING:
    from collections.abc import Callable


class Declined(Exception):
    """A failure of the tests."""


def decline(order: str) -> None:
    """Fail, with a cause."""
    try:
        known: dict[str, str] = {}
        known[order]
    except KeyError as error:
        raise Declined(f"order {order} declined") from error


def caught(order: str) -> Declined:
    """The exception that `decline` raises."""
    with pytest.raises(Declined) as info:
        decline(order)
    return info.value


def test_an_exception_is_told_whole() -> None:
    """Type, message, frames with their code, and the causes are all there."""
    failure = from_exception(caught("o-1"))
    assert (failure.type, failure.message) == ("Declined", "order o-1 declined")
    assert failure.frames[-1].function == "decline"
    assert failure.frames[-1].code == 'raise Declined(f"order {order} declined") from error'
    assert [cause.type for cause in failure.causes] == ["KeyError"]


def test_a_failure_comes_back_from_its_record() -> None:
    """What a log line holds gives the same failure again."""
    failure = from_exception(caught("o-1"))
    assert from_record(json.loads(json.dumps(failure.record()))) == failure


def test_lambdas_own_payload_gives_the_same_fingerprint() -> None:
    """The same exception, told by the runtime client's stackTrace, is the same failure."""
    error = caught("o-1")
    payload = {
        "errorType": "Declined",
        "errorMessage": str(error),
        "stackTrace": traceback.format_tb(error.__traceback__),
    }
    assert from_lambda_error(payload).fingerprint == from_exception(error).fingerprint


@pytest.mark.parametrize(
    "file",
    [
        "/var/task/lambdalog/instrument/decorator.py",
        "/opt/site-packages/lambdalog/runtime/workers/zygote.py",
        "/opt/site-packages/awslambdaric/bootstrap.py",
        "/src/lambdalog/runtime/workers/zygote.py",
    ],
)
def test_how_lambda_came_to_the_handler_is_no_part_of_a_failure(file: str) -> None:
    """Frames of the runtime are left out, wherever it is installed, and the fingerprint is the same with and without."""
    space: dict[str, Callable[[Callable[[str], None]], None]] = {}
    exec(compile("def enter(handler):\n    handler('o-1')", file, "exec"), space)
    with pytest.raises(Declined) as entered:
        space["enter"](decline)
    assert file in {frame.filename for frame in traceback.extract_tb(entered.value.__traceback__)}
    failure = from_exception(entered.value)
    assert file not in {frame.file for frame in failure.frames}
    with pytest.raises(Declined) as direct:
        decline("o-1")
    assert failure.fingerprint == from_exception(direct.value).fingerprint


def test_ids_lines_and_folders_do_not_count() -> None:
    """Two occurrences with other values, moved code or another folder are one failure; another place is another."""
    assert from_exception(caught("o-1")).fingerprint == from_exception(caught("o-2")).fingerprint
    here = fingerprint("E", "m", [Frame("/var/task/app.py", 10, "f")])
    assert here == fingerprint("E", "other", [Frame("/home/me/app.py", 99, "f")])
    assert here != fingerprint("E", "m", [Frame("/var/task/app.py", 10, "g")])
    assert here != fingerprint("F", "m", [Frame("/var/task/app.py", 10, "f")])


def test_without_frames_the_message_counts_without_what_varies() -> None:
    """Numbers, ids and quoted values are left out of a message that has no stack."""
    assert fingerprint("E", "payment p-17 of 12.00 failed", ()) == fingerprint(
        "E", "payment p-9 of 3.50 failed", ()
    )
    assert fingerprint("E", "payment failed", ()) != fingerprint("E", "order failed", ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RequestId: ab-1 Error: Task timed out after 1.00 seconds", "Sandbox.Timedout"),
        ("RequestId: ab-1 Error: Runtime exited with error: exit status 3", "Runtime.ExitError"),
        ("Unable to import module 'app': No module named 'x'", "Runtime.ImportModuleError"),
        ("order o-1 declined", "Unknown"),
    ],
)
def test_a_dead_letters_text_tells_the_type(text: str, expected: str) -> None:
    """A dead letter names no type: the platform's own texts are recognised, and requests don't tell failures apart."""
    failure = from_dead_letter("200", text)
    assert failure.type == expected
    assert failure.fingerprint == from_dead_letter("200", text.replace("ab-1", "cd-2")).fingerprint


def test_an_exception_whose_text_fails_is_still_told() -> None:
    """str() that raises, cycles of causes and broken records lose no failure."""

    class Broken(Exception):
        def __str__(self) -> str:
            raise ValueError("no")

    error = Broken()
    error.__cause__ = error
    assert from_exception(error).message == "<Broken: str() raised ValueError>"
    assert from_record({"frames": "no list", "causes": [1, {}]}).type == "Unknown"
