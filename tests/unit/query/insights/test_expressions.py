"""What expressions and conditions come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambdalog.store.maintenance import maintain
from tests.unit.query.insights.asking import ask, value, write

if TYPE_CHECKING:
    from lambdalog.store import LogStore


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", "7"),
        ("7 / 2", "3.5"),
        ("8 / 2", "4"),
        ("1 / 0", None),
        ("7 % 4", "3"),
        ("2 ^ 10", "1024"),
        ("10 ^ 400", None),
        ("-ms", "-250"),
        ("ms + 'x'", None),
        ("ms + '1'", "251"),
        ("abs(-3)", "3"),
        ("ceil(1.2)", "2"),
        ("floor(1.8)", "1"),
        ("sqrt(9)", "3"),
        ("sqrt(-1)", None),
        ("log(1)", "0"),
        ("greatest(1, 5, 3)", "5"),
        ("least(4, 2, 3)", "2"),
        ("strlen('abc')", "3"),
        ("toupper(level)", "ERROR"),
        ("tolower('ABC')", "abc"),
        ("trim('  a ')", "a"),
        ("ltrim('xxa', 'x')", "a"),
        ("rtrim('axx', 'x')", "a"),
        ("substr('xyZfooxyZ', 3)", "fooxyZ"),
        ("substr('xyZfooxyZ', 3, 3)", "foo"),
        ("replace('wordword', 'word', 'x')", "xx"),
        ("concat('a', 1, level)", "a1error"),
        ("strcontains(@message, 'error')", "1"),
        ("strcontains('a', 'b')", "0"),
        ("isempty(nothing)", "1"),
        ("isempty('')", "1"),
        ("isblank('  ')", "1"),
        ("isblank('a')", "0"),
        ("ispresent(ms)", "1"),
        ("ispresent(nothing)", "0"),
        ("coalesce(nothing, user.name)", "Ann"),
        ("isValidIp('10.0.0.1')", "1"),
        ("isValidIpV6('10.0.0.1')", "0"),
        ("isIpv4InSubnet('10.1.2.3', '10.0.0.0/8')", "1"),
        ("isIpInSubnet('nonsense', '10.0.0.0/8')", "0"),
        ("jsonParse(text)", '{"inner":5}'),
        ("jsonStringify(user)", '{"name":"Ann","tags":["x","y"]}'),
        ("user.name", "Ann"),
        ("user.tags.1", "y"),
        ("user.tags.9", None),
        ("`with-dash`", "d"),
        ("`key.with.dots`", "k"),
        ("flag", "1"),
        ("gone", None),
        ("1.5", "1.5"),
        ("bin(1h)", "2023-11-14 22:00:00.000"),
        ("bin(1d)", "2023-11-14 00:00:00.000"),
        ("bin(1w)", "2023-11-13 00:00:00.000"),
        ("bin(1mo)", "2023-11-01 00:00:00.000"),
        ("bin(1q)", "2023-10-01 00:00:00.000"),
        ("bin(1y)", "2023-01-01 00:00:00.000"),
        ("datefloor(@timestamp, 10 minutes)", "2023-11-14 22:10:00.000"),
        ("dateceil(@timestamp, 1h)", "2023-11-14 23:00:00.000"),
        ("dateceil(@timestamp, 1mo)", "2023-12-01 00:00:00.000"),
        ("toMillis(@timestamp)", "1700000000000"),
        ("fromMillis(1700000000000)", "2023-11-14 22:13:20.000"),
        ("now()", "2023-11-14 23:13:20.000"),
        ("now() - toMillis(@timestamp)", "3600000"),
        ("@timestamp", "2023-11-14 22:13:20.000"),
        ("@log", "g"),
        ("@logStream", "s"),
    ],
)
def test_expressions(store: LogStore, expression: str, expected: str | None) -> None:
    """Arithmetic, functions, times and fields give what the documentation says; what can't be is nothing."""
    write(
        store,
        {
            "level": "error",
            "ms": 250,
            "flag": True,
            "gone": None,
            "user": {"name": "Ann", "tags": ["x", "y"]},
            "with-dash": "d",
            "key.with.dots": "k",
            "text": '{"inner": 5}',
        },
    )
    assert value(store, expression) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("ms = 250", "b"),
        ('ms = "250"', "b"),
        ("ms != 250", "a"),
        ("ms > 99.5 and ms <= 250", "ab"),
        ("level = 'ERROR'", "b"),
        ("level != 'ERROR'", "a"),
        ("not level = 'ERROR'", "acd"),
        ("level in ['ERROR', 'WARN']", "b"),
        ("level not in ['ERROR']", "acd"),
        ("ms in [100, 250]", "ab"),
        ("@message like 'plain'", "d"),
        ("@message like /(?i)PLAIN t/", "d"),
        ("@message =~ /^p.*t$/", "d"),
        ("@message not like /level/", "cd"),
        ("level like /^E/ or ok", "bc"),
        ("ok = true", "c"),
        ("ok = 1", "c"),
        ("ok = 'true'", "c"),
        ("ispresent(level) and not (ms < 200)", "b"),
        ("level < 'F'", "b"),
        ("nothing = nothing", ""),
        ("bogus.path.x > 1", ""),
        ("strlen(level) = 5 && ms > 200 || ok", "bc"),
        ("@timestamp >= 1700000002000", "cd"),
    ],
)
def test_filters(store: LogStore, condition: str, expected: str) -> None:
    """Comparisons are of numbers where both are, else of texts; with what is missing none holds. Sealed or not."""
    write(
        store,
        {"id": "a", "level": "INFO", "ms": 100},
        {"id": "b", "level": "ERROR", "ms": 250},
        {"id": "c", "ok": True},
        "plain text",
    )
    for _ in range(2):
        rows = ask(store, f"filter {condition} | sort @timestamp asc | fields coalesce(id, 'd') as x")
        assert "".join(row["x"] for row in rows) == expected
        store.release(0)
        maintain(store, everything=True)
