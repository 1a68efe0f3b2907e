"""Keys for a `with` block."""

from __future__ import annotations

import contextlib
import threading

import pytest

from lambdalog import get_logger
from lambdalog.instrument.block import Block
from lambdalog.instrument.invocation import CURRENT
from tests.unit.instrument.heard import Context, Heard


def test_a_block_restores_what_it_shadowed() -> None:
    """Keys of a block are in its lines, nested ones too; afterwards the former values are back, also after a failure."""
    heard = Heard()
    log = get_logger(output=heard)
    running = CURRENT.begin(Context())

    def failing() -> None:
        with contextlib.suppress(KeyError), log.block(order="innermost", item=1):
            log.info("b")
            raise KeyError

    try:
        log.bind_invocation(order="outer", customer="ada")
        with log.block(order="inner"):
            log.info("a")
            failing()
            log.info("c")
            log.bind_invocation(late=True)
        log.info("d")
    finally:
        CURRENT.end(running)
    with log.block(order="outside"):
        log.info("e")
    log.info("f")
    assert [(line["message"], line.get("order"), line.get("item")) for line in heard.lines] == [
        ("a", "inner", None),
        ("b", "innermost", 1),
        ("c", "inner", None),
        ("d", "outer", None),
        ("e", "outside", None),
        ("f", None, None),
    ]
    assert heard.lines[3]["late"] is True
    assert heard.lines[3]["customer"] == "ada"


def test_threads_of_the_handler_have_its_keys() -> None:
    """A thread started in a block has the invocation's keys and the block's; what it binds itself stays its own."""
    heard = Heard()
    log = get_logger(output=heard)
    running = CURRENT.begin(Context())

    def work() -> None:
        log.info("in a thread")
        with log.block(order="the thread's"):
            log.info("in its block")

    with log.block(order="the handler's"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        log.info("after it")
    CURRENT.end(running)
    assert [(line["order"], line["requestId"]) for line in heard.lines] == [
        ("the handler's", "req-1"),
        ("the thread's", "req-1"),
        ("the handler's", "req-1"),
    ]


def test_a_block_can_be_entered_again_and_within_itself() -> None:
    """One object for many `with`: each leaves what was there before it."""
    block = Block({"order": 1})
    for _ in range(2):
        with block:
            assert CURRENT.block() == {"order": 1}
            with block, Block({"item": 2}):
                assert CURRENT.block() == {"order": 1, "item": 2}
            assert CURRENT.block() == {"order": 1}
        assert CURRENT.block() is None


def test_a_block_lets_exceptions_through() -> None:
    """It neither swallows one nor keeps its keys after it."""
    with pytest.raises(KeyError, match="inside"), Block({"order": 1}):
        raise KeyError("inside")
    assert CURRENT.block() is None


def test_blocks_of_an_invocation_that_ends_within_are_gone_with_it() -> None:
    """A block that outlives its invocation, as in a generator that nobody reads on, adds nothing to the next one."""
    heard = Heard()
    log = get_logger(output=heard)
    first = CURRENT.begin(Context())
    block = Block({"order": 1})
    block.__enter__()
    CURRENT.end(first)
    second = CURRENT.begin(Context(request_id="req-2"))
    log.info("a")
    block.__exit__(None, None, None)
    log.info("b")
    CURRENT.end(second)
    assert [("order" in line, line["requestId"]) for line in heard.lines] == [(False, "req-2")] * 2
