"""Which of a logger's lines are written: its level, a sampled invocation, and the ring of what was hidden."""

from __future__ import annotations

import json

import pytest

from lambdalog import get_logger
from lambdalog.instrument.invocation import CURRENT
from lambdalog.instrument.levels import INFO
from lambdalog.instrument.ring import Ring
from tests.unit.instrument.heard import Context, Heard
from tests.unit.instrument.hostile import NoText


@pytest.mark.parametrize(
    ("environment", "argument", "shown"),
    [
        ({}, None, ["INFO", "ERROR"]),
        ({"LAMBDALOG_LEVEL": "DEBUG"}, None, ["DEBUG", "INFO", "ERROR"]),
        ({"LAMBDALOG_LEVEL": "DEBUG"}, "ERROR", ["ERROR"]),
        ({"AWS_LAMBDA_LOG_LEVEL": "ERROR"}, "DEBUG", ["ERROR"]),
        ({"AWS_LAMBDA_LOG_LEVEL": "nonsense"}, None, ["INFO", "ERROR"]),
    ],
)
def test_the_level_is_lambdas_then_the_arguments_then_ours(
    environment: dict[str, str], argument: str | None, shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS_LAMBDA_LOG_LEVEL comes before the argument, and that before LAMBDALOG_LEVEL."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    heard = Heard()
    log = get_logger(output=heard, level=argument)
    log.debug("x")
    log.info("x")
    log.error("x")
    assert [line["level"] for line in heard.lines] == shown


def test_a_sampled_invocation_shows_what_others_hide() -> None:
    """Where the invocation lowers the floor its debug lines are written; is_enabled_for says so."""
    heard = Heard()
    log = get_logger(output=heard)
    running = CURRENT.begin(Context())
    log.debug("hidden")
    assert not log.is_enabled_for(10)
    running.floor = 10
    log.debug("shown")
    assert log.is_enabled_for(10)
    assert log.get_effective_level() == INFO
    CURRENT.end(running)
    log.debug("hidden again")
    assert [line["message"] for line in heard.lines] == ["shown"]


def test_the_ring_keeps_what_was_hidden_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line below the level is kept as it was then; with Lambda's own filter, under a level that this lets through."""
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "WARN")
    heard = Heard()
    log = get_logger(output=heard, location=True)
    running = CURRENT.begin(Context())
    running.ring = Ring(10)
    items = [1]
    log.debug("kept", items=items)
    items.append(2)
    log.info("%d", NoText())
    log.warning("written")
    CURRENT.end(running)
    assert [line["message"] for line in heard.lines] == ["written"]
    kept, other = map(json.loads, running.ring.drain())
    assert (kept["message"], kept["items"], kept["level"], kept["loggedAt"]) == ("kept", [1], "WARN", "DEBUG")
    assert kept["location"].split(":")[1] == "test_the_ring_keeps_what_was_hidden_as_it_was"
    assert other["loggedAt"] == "INFO"
