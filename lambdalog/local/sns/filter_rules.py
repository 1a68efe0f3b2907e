"""Reading a FilterPolicy: what is allowed in it, and SNS's words, with the column, for what is not. Pure."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Any, Final

from lambdalog.local.sns.json_tokens import Token, tokens

KEYS_MAX: Final = 5
COMBINATIONS_MAX: Final = 150
BYTES_MAX: Final = 256 * 1024
NUMBER_MAX: Final = 1_000_000_000
# Deeper is no policy that anyone means, and would be deeper than Python goes.
DEPTH_MAX: Final = 100
# As much of a policy is repeated in an error.
SHOWN_MAX: Final = 500
_TEXT_OPERATORS: Final = frozenset({"prefix", "suffix", "equals-ignore-case", "wildcard"})
# A wildcard without two stars beside each other; a backslash takes a star's meaning away.
_SINGLE_STARS: Final = re.compile(r"(?:\\.|(?!\*\*).)*", re.DOTALL)
# `$or` is an operator only where no branch has a field that is named as an operator.
_RESERVED: Final = _TEXT_OPERATORS | {"anything-but", "exists", "numeric", "cidr"}
_NESTED: Final = (
    "Filter policy scope MessageAttributes does not support nested filter policy"  # said without a prefix
)


class PolicyError(ValueError):
    """What is wrong with a filter policy; `nested` where only its scope is."""

    def __init__(self, text: str, *, nested: bool = False) -> None:
        super().__init__(text)
        self.nested = nested


def read(text: str, *, body: bool) -> dict[str, Any]:
    """A FilterPolicy as JSON; PolicyError, in SNS's words. `body`: its scope is the message body."""
    if len(text.encode()) > BYTES_MAX:
        raise PolicyError("Filter policy is too long")
    try:
        found = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
    except PolicyError:
        raise
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"failed to parse JSON. {_unparsed(text, error)}") from None
    if not isinstance(found, dict):
        raise PolicyError("Filter is not an object")
    if depth(found) > DEPTH_MAX:
        raise PolicyError("Filter policy is too complex")
    _Reader(text).policy(found)
    if not body and any(isinstance(value, dict) for value in found.values()):
        raise PolicyError(_NESTED, nested=True)
    if len(found) > KEYS_MAX:
        raise PolicyError("Filter policy can not have more than 5 keys")
    if combinations(found) > COMBINATIONS_MAX:
        raise PolicyError("Filter policy is too complex")
    return found


def combinations(policy: dict[str, Any], depth: int = 1) -> int:
    """How many combinations of values a policy has: a nested value counts as often as it is deep; branches of $or add up."""
    total = 1
    for key, value in policy.items():
        if isinstance(value, dict):
            total *= combinations(value, depth + 1)
        elif is_or(key, value):
            total *= sum(combinations(branch, depth) for branch in value)
        else:
            total *= len(value) * depth
    return total


def is_or(key: str, value: Any) -> bool:
    """Whether this is the operator $or, and not a property of that name."""
    return (
        key == "$or"
        and isinstance(value, list)
        and len(value) > 1
        and all(isinstance(branch, dict) and branch and not branch.keys() & _RESERVED for branch in value)
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise PolicyError(f"Path `{name}` cannot be allowed multiple times")
        found[name] = value
    return found


def _no_constant(name: str) -> float:
    raise ValueError(name)


def depth(value: Any) -> int:
    """How deep a value is nested; without recursion."""
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            item
            for each in level
            for item in (each.values() if isinstance(each, dict) else each if isinstance(each, list) else ())
        ]
    return deepest


def _unparsed(text: str, error: Exception) -> str:
    source = (
        "at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: {}]"
    )
    word = re.match(r"\s*([A-Za-z_$][\w$]*)", text)
    if word is not None and word.group(1) not in {"true", "false", "null"}:
        return (
            f"Unrecognized token '{word.group(1)}': was expecting (JSON String, Number, Array, Object or token 'null', "
            f"'true' or 'false')\n {source.format(word.end() + 1)}"
        )
    position = getattr(error, "pos", 0)
    if position >= len(text):
        return f"Unexpected end-of-input\n {source.format(len(text) + 1)}"
    return f"Unexpected character ('{text[position]}' (code {ord(text[position])}))\n {source.format(position + 1)}"


class _Reader:
    """Walks over the tokens of a policy, and stops at what is not allowed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._place = 0

    def _next(self) -> Token:
        token = self._tokens[self._place]
        self._place += 1
        return token

    def _error(self, text: str, token: Token) -> PolicyError:
        before = self._text[: token.read]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        shown = self._text[:SHOWN_MAX]
        return PolicyError(f'{text}\n at [Source: (String)"{shown}"; line: {line}, column: {column}]')

    def policy(self, value: dict[str, Any]) -> None:
        """A policy, or what is nested in one: names, each with rules or a further object."""
        self._next()
        for name, inner in value.items():
            self._next()
            start = self._next()
            if isinstance(inner, dict):
                self._place -= 1
                self.policy(inner)
            elif not isinstance(inner, list):
                raise self._error(f'"{name}" must be an object or an array', start)
            elif is_or(name, inner):
                for branch in inner:
                    self.policy(branch)
                self._next()
            else:
                self._rules()
        self._next()

    def _rules(self) -> None:
        token = self._next()
        if token.kind == "]":
            raise self._error("Empty arrays are not allowed", token)
        while token.kind != "]":
            if token.kind == "[":
                raise self._error("Match value must be String, number, true, false, or null", token)
            if token.kind == "{":
                self._operator()
            else:
                self._check_number(token)
            token = self._next()

    def _check_number(self, token: Token) -> None:
        value = token.value
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) > NUMBER_MAX:
            raise self._error(
                f"Value must be between {-NUMBER_MAX:.1E} and {NUMBER_MAX:.1E}, inclusive".replace(
                    "E+0", "E"
                ),
                token,
            )

    def _operator(self) -> None:
        name = self._next()
        if name.kind == "}":
            raise self._error("Empty objects are not allowed", name)
        match name.value:
            case "anything-but":
                self._anything_but()
            case "exists":
                value = self._next()
                if not isinstance(value.value, bool) or value.kind != "word":
                    raise self._error("exists match pattern must be either true or false.", value)
            case "numeric":
                self._numeric()
            case "cidr":
                # The parser of AWS says prefix here, too.
                self._cidr(self._text_of("prefix"))
            case operator if operator in _TEXT_OPERATORS:
                self._text_of(operator)
            case operator:
                raise self._error(f"Unrecognized match type {operator}", name)
        end = self._next()
        if end.kind != "}":
            raise self._error("Only one key allowed in match expression", end)

    def _text_of(self, operator: str) -> str:
        token = self._next()
        if token.kind != "string":
            raise self._error(f"{operator} match pattern must be a string", token)
        if operator == "wildcard" and (end := len(_SINGLE_STARS.findall(token.value)[0])) < len(token.value):
            raise self._error(f"Consecutive wildcard characters at pos {end}", token)
        return str(token.value)

    def _anything_but(self) -> None:
        token = self._next()
        if token.kind == "{":
            name = self._next()
            if name.value != "prefix":
                raise self._error(f"Unsupported anything-but pattern: {name.value}", name)
            self._text_of("prefix")
            if (end := self._next()).kind != "}":
                raise self._error("Only one key allowed in match expression", end)
        elif token.kind == "[":
            kinds = set()
            while (item := self._next()).kind != "]":
                if item.kind not in {"string", "word"} or isinstance(item.value, bool) or item.value is None:
                    raise self._error("Inside anything but list, start|null|boolean is not supported.", item)
                kinds.add(isinstance(item.value, str))
                self._check_number(item)
                if len(kinds) > 1:
                    raise self._error(
                        "Inside anything but list, either all values are number or string, mixed type is not supported",
                        item,
                    )
            if not kinds:
                raise self._error("Empty arrays are not allowed", item)
        elif token.kind == "word" and (isinstance(token.value, bool) or token.value is None):
            raise self._error("Inside anything but list, start|null|boolean is not supported.", token)
        else:
            self._check_number(token)

    def _numeric(self) -> None:
        start = self._next()
        if start.kind != "[":
            raise self._error("Value of numeric must be an array.", start)
        operator = self._next()
        if operator.kind != "string":
            what = "]" if operator.kind == "]" else operator.value
            raise self._error(f"Invalid member in numeric match: {what}", operator)
        if operator.value not in {"=", "<", "<=", ">", ">="}:
            raise self._error(f"Unrecognized numeric range operator: {operator.value}", operator)
        bottom = self._bound(operator.value)
        second = self._next()
        if second.kind == "]":
            return
        if operator.value not in {">", ">="}:
            raise self._error("Too many elements in numeric expression", second)
        if second.kind != "string" or second.value not in {"<", "<="}:
            raise self._error(f"Bad numeric range operator: {second.value}", second)
        top = self._bound(second.value)
        if bottom.value >= top.value:
            raise self._error("Bottom must be less than top", top)
        if (end := self._next()).kind != "]":
            raise self._error("Too many terms in numeric range expression", end)

    def _bound(self, operator: str) -> Token:
        token = self._next()
        if token.kind != "word" or isinstance(token.value, bool) or token.value is None:
            raise self._error(f"Value of {operator} must be numeric", token)
        self._check_number(token)
        return token

    def _cidr(self, text: str) -> None:
        address, slash, bits = text.partition("/")
        if not slash or "/" in bits:
            raise PolicyError("Malformed CIDR, one '/' required")
        if not re.fullmatch(r"-?\d+", bits):
            raise PolicyError("Malformed CIDR, mask bits must be an integer")
        try:
            width = 32 if ipaddress.ip_address(address).version == 4 else 128
        except ValueError:
            raise PolicyError(f"Nonstandard IP address: {address}") from None
        if not 0 <= int(bits) <= width:
            raise PolicyError(f"IPv{4 if width == 32 else 6} mask bits must be between 0 and {width}")
