"""Secrets are taken out, what only looks like one isn't, and a reader is told."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from lambdalog import get_logger
from lambdalog.instrument.scrub import MARK, Scrubber, Sweep
from tests.unit.instrument.heard import Heard


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "Password",
        "userPassword",
        "user_password",
        "DB-PASSWD",
        "passphrase",
        "secret",
        "clientSecret",
        "api_key",
        "apiKey",
        "APIKey",
        "x-api-key",
        "accessKey",
        "private_key",
        "token",
        "id_token",
        "accessToken",
        "Authorization",
        "proxy-authorization",
        "Cookie",
        "Set-Cookie",
        "credentials",
        "cvv",
        "cardNumber",
        "session_id",
        "JWT",
        "otp",
    ],
)
def test_names_of_secrets_are_known(key: str) -> None:
    """In whatever style they are written."""
    assert Scrubber().secret(key)


@pytest.mark.parametrize(
    "key",
    [
        "passenger",
        "compass",
        "passed",
        "key",
        "Keys",
        "objectKey",
        "s3_key",
        "tokens_used",
        "max_tokens",
        "nextToken",
        "NextToken",
        "token_count",
        "secret_name",
        "author",
        "card",
        "session",
        "pinned",
        "shipping",
        "",
        "…",
        "keyboard",
        "password_length",
    ],
)
def test_names_of_harmless_things_are_left_alone(key: str) -> None:
    """A key is judged by its words, not by letters that happen to be in it."""
    assert not Scrubber().secret(key)


SECRETS = {
    "authorization": "Authorization was Bearer abc.def-ghi123",
    "jwt": "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-DEF here",
    "aws key": "with AKIAIOSFODNN7EXAMPLE",
    "token": "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "url password": "postgres://app:s3cr3t@db.internal/orders",
    "card": "paid with 4111 1111 1111 1111.",
    "assignment": "login failed: password=hunter2, user=ada",
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
}


@pytest.mark.parametrize("rule", sorted(SECRETS))
def test_texts_that_hold_secrets_are_scrubbed(rule: str) -> None:
    """The secret is gone, the text around it stays, the rule is named; once is as good as twice."""
    text = SECRETS[rule]
    clean, rules = Scrubber().text(text)
    assert MARK in clean
    assert rules == [rule]
    for secret in ("abc.def", "eyJzdWI", "AKIA", "ghp_", "s3cr3t", "4111", "hunter2", "MIIE"):
        assert secret not in clean
    assert Scrubber().text(clean) == (clean, [])


@pytest.mark.parametrize("space", [" ", "\t", "\n  ", "\u00a0"])
def test_a_scheme_may_be_followed_by_any_space(space: str) -> None:
    """A header that was wrapped or aligned is one too."""
    assert Scrubber().text(f"got Bearer{space}abc.def-ghi123") == (f"got {MARK}", ["authorization"])


@pytest.mark.parametrize(
    "text",
    [
        "order 1700000000000 at 1700000000000000 and 1700000000000000000",
        "4111 1111 1111 1112",
        "the password is wrong",
        "passed: 3, tokens used: 12 of 4096",
        "s3://bucket/key=2026/11/24",
        "https://example.com/a:b@c",
        "basic service",
        "2026-11-24T10:11:12.000Z 127.0.0.1:8080",
        "0000000000000000",
    ],
)
def test_texts_without_secrets_stay_as_they_are(text: str) -> None:
    """Times, wrong card numbers, prose and paths lose nothing."""
    assert Scrubber().text(text) == (text, [])


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_secrets_in_quoted_json_are_found(depth: int) -> None:
    """A body is JSON in JSON; a queue's record is that once more."""
    text = json.dumps({"password": "two words", "user": "ada"})
    for _ in range(depth):
        text = json.dumps({"body": text})
    clean, rules = Scrubber().text(text)
    assert "two words" not in clean
    assert "ada" in clean
    assert rules == ["assignment"]
    assert json.loads(clean)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('connect(user="ada", password="hunter2")', f'connect(user="ada", password="{MARK}")'),
        ("found = {'api_key': 'k-1', 'id': '7'}", f"found = {{'api_key': '{MARK}', 'id': '7'}}"),
        ('config["token"] = b"t-1"', f'config["token"] = b"{MARK}"'),
        ('if secret != "s":', f'if secret != "{MARK}":'),
        ("if pin == '1234':", f"if pin == '{MARK}':"),
        ('raise ValueError("password=hunter2")', f'raise ValueError("password={MARK}")'),
        ('pay("4111 1111 1111 1111", "' + "x" * 10, f'pay("{MARK}", "' + "x" * 10),
        ("password='hunter2", f"password='{MARK}'"),
        ('log("a \\" b", "password=hunter2")', f'log("a \\" b", "password={MARK}")'),
        ("log('it\\'s', 'token=t-1')", f"log('it\\'s', 'token={MARK}')"),
        ("password='hunter\\", f"password='{MARK}'"),
        ('if (token := "t-1"):', f'if (token := "{MARK}"):'),
        ('connect(f"postgres://app:s3cr3t@{host}/")', f'connect(f"postgres://{MARK}@{{host}}/")'),
        ("call(fr'Bearer abc.def-ghi123 {x}')", f"call(fr'{MARK} {{x}}')"),
        ('log(f\'{{"password": "hunter2"}}\')', f'log(f\'{{{{"password": "{MARK}"}}}}\')'),
    ],
)
def test_a_line_of_code_gives_no_literal_away(line: str, expected: str) -> None:
    """By the name that a literal is given to, or by what it looks like; one that was cut off too."""
    assert Scrubber().code(line)[0] == expected
    assert Scrubber().code(line)[1] != []


@pytest.mark.parametrize(
    "line",
    [
        "login(password=password, token=tokens[0])",
        "raise ValueError(f\"token={token} for {user['name']}\")",
        'log.info("no password", key="orders/1.json")',
        'log(f"token={{{token}}} of {{}}")',
        "connect(rf'postgres://{user}:{password}@{host}/orders')",
        "total = 4111111111111111",
        "it's",
    ],
)
def test_names_in_code_are_no_secrets(line: str) -> None:
    """What the code calls things is there for everybody to read."""
    assert Scrubber().code(line) == (line, [])


def test_a_value_is_swept_with_all_within_it() -> None:
    """Keys, items, texts and numbers; what was scrubbed is told with its path, the values themselves nowhere."""
    sweep = Sweep(Scrubber())
    event = {
        "headers": {"Authorization": "Basic abcdefghijk", "Accept": "*/*"},
        "items": [{"card": 4111111111111111}, "Bearer abcdefghijk"],
        "password": None,
        "token": True,
        "secrets": ["a", "b"],
        7: "x",
    }
    found = sweep.value(event, "event")
    assert found == {
        "headers": {"Authorization": MARK, "Accept": "*/*"},
        "items": [{"card": MARK}, MARK],
        "password": None,
        "token": True,
        "secrets": MARK,
        "7": "x",
    }
    assert sweep.told() == [
        "event.headers.Authorization: key",
        "event.items[0].card: card",
        "event.items[1]: authorization",
        "event.secrets: key",
    ]


def test_what_is_swept_is_bounded() -> None:
    """Depth, items, characters: a hostile value is cut, and cut values say so."""
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    circular: dict[str, Any] = {}
    circular["self"] = circular
    wide = {f"key{number}": "x" * 900 for number in range(10_000)}
    for value in (
        deep,
        circular,
        wide,
        ["x" * 5000] * 5000,
        "x" * 10_000_000,
        {"k" * 100_000: b"x" * 10_000_000},
    ):
        assert len(json.dumps(Sweep(Scrubber()).value(value, "event"))) < 40_000
    assert Sweep(Scrubber()).value("x" * 5000, "e").endswith("… (5000 characters)")


def test_a_secret_on_the_edge_is_not_cut_in_two() -> None:
    """A text is scrubbed before it is cut."""
    found = Sweep(Scrubber()).value("x" * 985 + " password=hunter2-and-much-more", "e")
    assert "hunter" not in found


class NoText:
    """repr() fails."""

    def __repr__(self) -> str:
        raise ValueError("no")


class NoItems(dict[str, Any]):
    """Its items can't be had."""

    def items(self) -> Any:
        """Never."""
        raise RuntimeError("no items")


class NoLength(list[Any]):
    """Its length can't be had."""

    def __len__(self) -> int:
        raise RuntimeError("no length")


def test_containers_that_fail_are_told_by_what_they_show() -> None:
    """One of a class of its own whose methods fail keeps nothing else back, and no secret gets through by it."""
    event = {"id": 1, "mapping": NoItems(password="hunter2"), "list": NoLength(["a"]), "last": 2}
    found = Sweep(Scrubber()).value(event, "event")
    assert (found["id"], found["list"], found["last"]) == (1, "['a']", 2)
    assert found["mapping"] == f"{{'password': '{MARK}'}}"


def test_objects_are_told_by_their_repr() -> None:
    """One that fails is told by its type; what a repr gives away is scrubbed as well."""

    class User:
        def __repr__(self) -> str:
            return "User(name='ada', password='hunter2')"

    assert Sweep(Scrubber()).value(NoText(), "e") == "<NoText: repr() raised ValueError>"
    assert Sweep(Scrubber()).value(User(), "e") == f"User(name='ada', password='{MARK}')"


def test_it_can_be_extended() -> None:
    """Names and patterns of one's own are scrubbed too, names to keep are kept; a wrong pattern is refused at once."""
    scrubber = Scrubber(keys=["taxNumber"], values={"order": r"\bORD-\d+"}, keep=["token"])
    sweep = Sweep(scrubber)
    found = sweep.value({"tax_number": "1", "text": "ORD-17 here", "token": "kept", "accessToken": "x"}, "e")
    assert found == {"tax_number": MARK, "text": f"{MARK} here", "token": "kept", "accessToken": MARK}
    assert sweep.told() == ["e.tax_number: key", "e.text: order", "e.accessToken: key"]
    with pytest.raises(re.error):
        Scrubber(values={"x": "("})


def test_a_logger_can_scrub_each_line() -> None:
    """As a processor it scrubs what is logged, and says so in the line."""
    heard = Heard()
    get_logger(output=heard, processors=[Scrubber()]).info("token=abc def", password="hunter2", order="o-1")
    line = heard.line
    assert (line["message"], line["password"], line["order"]) == (f"token={MARK} def", MARK, "o-1")
    assert line["scrubbed"] == ["password: key", "event: assignment"]


@pytest.mark.parametrize(
    "text", ["x" * 100_000, "4" * 100_000, "4 " * 50_000, "password" * 12_000, "a:" * 50_000, "://" * 30_000]
)
def test_no_text_takes_long(text: str) -> None:
    """Patterns go once over a text: a hostile one is no way to hold up a function."""
    assert Scrubber().text(text)[0]
