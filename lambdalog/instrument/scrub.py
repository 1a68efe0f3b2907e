"""Secrets out of what a failure tells: by the name of a key, and by what a text looks like.

It says what it took: a reader sees that there was something, and which rule it was.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping

MARK: Final = "[scrubbed]"
DEPTH_MAX: Final = 8
ITEMS_MAX: Final = 50
TEXT_MAX: Final = 1000
FOUND_MAX: Final = 50

# A key is taken apart into its words: "passwd" is one, "passenger" isn't.
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS: Final = frozenset(
    [
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "pwd",
        "secret",
        "secrets",
        "token",
        "tokens",
        "credential",
        "credentials",
        "authorization",
        "auth",
        "cookie",
        "cookies",
        "cvv",
        "cvc",
        "cvv2",
        "ssn",
        "apikey",
        "accesskey",
        "secretkey",
        "privatekey",
        "pin",
        "otp",
        "jwt",
        "bearer",
        "signature",
        "sessionid",
        "csrf",
        "xsrf",
        "iban",
        "pan",
    ]
)
# Words that are harmless alone: "key" is S3's, "card" may be a greeting card.
_SECRET_PAIRS: Final = frozenset(
    [
        "api key",
        "access key",
        "secret key",
        "private key",
        "encryption key",
        "signing key",
        "master key",
        "card number",
        "card no",
        "credit card",
        "account number",
        "session id",
        "set cookie",
        "security code",
        "client secret",
        "connection string",
    ]
)
# ... and words that make a harmless thing of a secret one.
_HARMLESS: Final = frozenset(
    [
        "count",
        "counts",
        "length",
        "limit",
        "max",
        "min",
        "used",
        "type",
        "expires",
        "expiry",
        "ttl",
        "name",
        "id",
    ]
)
_COUNTING: Final = frozenset(["max", "min", "num", "number", "total", "count", "used"])
_PAGING: Final = frozenset({"next token", "continuation token", "pagination token", "page token"})

_VALUES: Final[dict[str, str]] = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    "authorization": r"\b(?:Bearer|Basic|Digest)\s+[A-Za-z0-9+/=._~-]{8,}",
    "jwt": r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",
    "aws key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "token": r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|xox[abprs]-[\w-]{10,}|[sr]k_(?:live|test)_\w{10,}|AIza[\w-]{30,})",
    "url password": r"(?<=://)[^\s:/@]{0,100}:[^\s/@]{1,200}(?=@)",
    # Issuers' numbers begin with 2 to 6; times in milli-, micro- and nanoseconds begin with 1.
    "card": r"\b[2-6](?:[ -]?\d){13,18}\b",
    # In JSON and the like within a text, however often it was quoted.
    "assignment": r"(?i)((?<![A-Za-z])(?:pass(?:word|wd|phrase)|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|client[_-]?secret|authorization|cvv|cvc)\\*[\"']?\s*[:=]\s*(?:\\*[\"'])?)"
    r"(?!\[scrubbed)(?:(?<=[\"'])[^\"'\\]{1,500}|[^\s\"'\\,;&}]{1,500})",
}
# What a text must have in it, in small letters, for a rule to be worth trying: most are passed over by this.
_HINTS: Final[dict[str, tuple[str, ...]]] = {
    "private key": ("private key",),
    "authorization": ("bearer", "basic", "digest"),
    "jwt": ("eyj",),
    "aws key": ("akia", "asia"),
    "token": ("gh", "github_pat_", "xox", "k_live_", "k_test_", "aiza"),
    "url password": ("://",),
    "assignment": ("pass", "secret", "token", "key", "authorization", "cvv", "cvc"),
}
# A literal in a line of Python, cut off maybe; and, read backwards, the name or the key that it is given to.
_LITERAL: Final = re.compile(r"""\"(?:[^"\\]|\\.)*(?:"|\\?$)|'(?:[^'\\]|\\.)*(?:'|\\?$)""")
_GIVEN_TO: Final = re.compile(r"""[rbfuRBFU]{0,2}\s*(?:=[=!:+]?|:)\s*\]?["']?(\w+)""")
_FORMAT: Final = re.compile(r"[rR]?[fF]")
# Two braces are one that is text.
_INSERTED: Final = re.compile(r"((?<!\{)(?:\{\{)*?\{[^{}]*\})")
_ANY_HINT: Final = re.compile("|".join(hint for hints in _HINTS.values() for hint in hints))
_SHORT: Final = 200
# `cvv=1`: no rule finds anything in less.
_SHORTEST: Final = 5
_CARD_MIN: Final = 14
_DIGITS: Final = re.compile(r"[2-6](?:[ -]?\d){13}")


class Scrubber:
    """Takes secrets out of texts and JSON-like values.

    `keys` are further names whose values are taken (their words in any style: `taxNumber`, `tax_number`), `values`
    further patterns, name → regular expression; `keep` names that are left alone. re.error for a wrong pattern.
    """

    def __init__(
        self,
        keys: Iterable[str] = (),
        values: Mapping[str, str] | None = None,
        keep: Iterable[str] = (),
    ) -> None:
        self._keys = frozenset(_words(key) for key in keys)
        self._keep = frozenset(_words(key) for key in keep)
        self._own = [(name, re.compile(pattern)) for name, pattern in (values or {}).items()]
        self._rules = [
            (name, re.compile(pattern), _HINTS.get(name, ()), _INSTEAD.get(name, MARK))
            for name, pattern in _VALUES.items()
        ]
        self._known: dict[str, bool] = {}
        self._lines: dict[str, tuple[str, list[str]]] = {}

    def __call__(self, _logger: Any, _method: str, event_dict: MutableMapping[str, Any]) -> dict[str, Any]:
        """As a processor of a logger: `get_logger(processors=[Scrubber()])` scrubs each line."""
        sweep = Sweep(self)
        found = {name: sweep.named(name, value, name) for name, value in event_dict.items()}
        if sweep.found:
            found["scrubbed"] = sweep.told()
        return found

    def secret(self, key: str) -> bool:
        """Whether a key names a secret."""
        known = self._known.get(key)
        if known is None:
            known = self._judge(key)
            if len(self._known) < 1000:
                self._known[key] = known
        return known

    def text(self, text: str) -> tuple[str, list[str]]:
        """A text without what looks like a secret, and the rules that found some."""
        rules: list[str] = []
        for name, pattern in self._own:
            text, count = pattern.subn(MARK, text)
            if count:
                rules.append(name)
        if len(text) < _SHORTEST:
            return text, rules
        low = text.lower()
        digits = len(text) >= _CARD_MIN and _DIGITS.search(text) is not None
        # Through a long text each hint by itself is quicker.
        if not digits and len(text) < _SHORT and _ANY_HINT.search(low) is None:
            return text, rules
        for name, pattern, hints, instead in self._rules:
            for hint in hints:
                if hint in low:
                    break
            else:
                if name != "card" or not digits:
                    continue
            replaced = pattern.sub(instead, text)
            if replaced != text:
                rules.append(name)
                text = replaced
        return text, rules

    def code(self, line: str) -> tuple[str, list[str]]:
        """A line of Python, of which the literals alone are scrubbed: `password=given` gives nothing away."""
        if '"' not in line and "'" not in line:
            return line, []
        # The same lines fail again and again, and stay what they are.
        known = self._lines.get(line)
        if known is None:
            known = self._literals(line)
            if len(self._lines) < 1000:
                self._lines[line] = known
        return known

    def _literals(self, line: str) -> tuple[str, list[str]]:
        rules: list[str] = []

        def instead(match: re.Match[str]) -> str:
            literal = match.group()
            # Backwards: an opening quote may have a form before it, and then what it is given to.
            before = line[max(match.start() - 100, 0) : match.start()][::-1]
            given = _GIVEN_TO.match(before)
            if given is not None and self.secret(given[1][::-1]):
                rules.append("key")
                return f"{literal[0]}{MARK}{literal[0]}"
            if not may_hide:
                return literal
            # What a format inserts is no secret's text but its name; what stands around it is text as any.
            parts = _INSERTED.split(literal) if _FORMAT.match(before) else [literal]
            for index in range(0, len(parts), 2):
                parts[index], own = self.text(parts[index])
                rules.extend(own)
            return "".join(parts)

        may_hide = bool(self._own) or _ANY_HINT.search(line.lower()) or _DIGITS.search(line)
        return _LITERAL.sub(instead, line), rules

    def _judge(self, key: str) -> bool:
        text = _words(key[:200])
        if text in self._keep:
            return False
        padded = f" {text} "
        if any(f" {name} " in padded for name in self._keys):
            return True
        words = text.split()
        if not words or words[-1] in _HARMLESS or words[0] in _COUNTING or text in _PAGING:
            return text == "session id"
        return (
            not _SECRET_WORDS.isdisjoint(words)
            or text.replace(" ", "") in _SECRET_WORDS
            or any(f"{first} {second}" in _SECRET_PAIRS for first, second in pairwise(words))
        )


class Sweep:
    """One use of a scrubber: `found` is path → rule; `left` how many characters may still be told."""

    def __init__(self, scrubber: Scrubber, left: int = 16_000) -> None:
        self._scrubber = scrubber
        self.left = left
        self.found: dict[str, str] = {}

    def value(self, value: Any, path: str, depth: int = 0) -> Any:
        """A JSON-like value, scrubbed and bounded."""
        kind = type(value)
        if kind is str:
            return self.text(value, path)
        if value is None or kind is bool or kind is int or kind is float:
            self.left -= 8
            if (
                kind is int
                and 2 * 10**13 <= value < 7 * 10**18
                and str(value)[0] in "23456"
                and _luhn(str(value))
            ):
                self.note(path, "card")
                return MARK
            return value
        if depth >= DEPTH_MAX:
            return "…"
        try:
            if isinstance(value, dict):
                return self._mapping(value, path, depth)
            if isinstance(value, (list, tuple)):
                return self._items(value, path, depth)
        except Exception:  # noqa: BLE001, S110 - a subclass's methods are anybody's code: told as what it shows of itself
            pass
        return self.text(shown(value), path)

    def _items(self, value: list[Any] | tuple[Any, ...], path: str, depth: int) -> list[Any]:
        found: list[Any] = []
        for index, inner in enumerate(value[:ITEMS_MAX]):
            if self.left <= 0:
                break
            found.append(self.value(inner, f"{path}[{index}]", depth + 1))
        if len(found) < len(value):
            found.append(f"… {len(value) - len(found)} more")
        return found

    def text(self, text: str, path: str) -> str:
        """A text, scrubbed and bounded."""
        length = len(text)
        keep = max(min(TEXT_MAX, self.left), 0)
        # Cut behind what is scrubbed, with room for a secret that lies on the edge.
        clean, rules = self._scrubber.text(text[: keep + 600])
        for rule in rules:
            self.note(path, rule)
        if length > keep:
            clean = f"{clean[:keep]}… ({length} characters)"
        self.left -= len(clean)
        return clean

    def named(self, name: str, value: Any, path: str) -> Any:
        """A value that has a name: the name may be reason enough."""
        if value is not None and type(value) is not bool and self._scrubber.secret(name):
            self.note(path, "key")
            self.left -= len(MARK)
            return MARK
        return self.value(value, path, 1)

    def told(self) -> list[str]:
        """What was scrubbed: `event.headers.Authorization: key`."""
        return [f"{path}: {rule}" for path, rule in self.found.items()]

    def _mapping(self, value: Mapping[Any, Any], path: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for count, (key, inner) in enumerate(list(value.items())):
            if self.left <= 0 or count >= ITEMS_MAX:
                found["…"] = f"{len(value) - count} more"
                break
            name = key[:200] if type(key) is str else shown(key)[:200]
            self.left -= len(name)
            where = f"{path}.{name}"
            if inner is not None and type(inner) is not bool and self._scrubber.secret(name):
                self.note(where, "key")
                self.left -= len(MARK)
                found[name] = MARK
            else:
                found[name] = self.value(inner, where, depth + 1)
        return found

    def secret(self, name: str) -> bool:
        """Whether a name is that of a secret."""
        return self._scrubber.secret(name)

    def code(self, line: str) -> tuple[str, list[str]]:
        """A line of Python without the secrets in its literals, and the rules that found some."""
        return self._scrubber.code(line)

    def rules(self, text: str) -> tuple[str, list[str]]:
        """A text without what looks like a secret, and the rules that found some."""
        return self._scrubber.text(text)

    def note(self, path: str, rule: str) -> None:
        """Remember what was scrubbed, and why."""
        if len(self.found) < FOUND_MAX:
            self.found[path[-200:]] = rule


def shown(value: Any) -> str:
    """A value's repr, whatever its own code does, cut at some thousand characters."""
    try:
        if isinstance(value, (bytes, bytearray)):
            # The repr of a hundred megabytes is four hundred.
            return repr(bytes(value[:TEXT_MAX]))
        return repr(value)[: 2 * TEXT_MAX]
    except Exception as error:  # noqa: BLE001 - repr() is the user's code
        return f"<{type(value).__name__}: repr() raised {type(error).__name__}>"


def _words(key: str) -> str:
    return " ".join(word.lower() for word in _WORDS.findall(key))


def _card(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match.group())
    return MARK if 14 <= len(digits) <= 19 and _luhn(digits) else match.group()


def _luhn(digits: str) -> bool:
    """Whether the last digit is the check digit that payment cards have."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if index % 2 else 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0 and digits.strip("0") != ""


# The name of what was taken stays, and so does a number that only looks like a card's.
_INSTEAD: Final[dict[str, Any]] = {"assignment": rf"\1{MARK}", "card": _card}
