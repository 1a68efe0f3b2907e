"""CloudWatch Logs filter patterns: terms, phrases, optional and excluded terms, regular expressions.

    ERROR timeout        both, case-sensitive, anywhere in the message
    "exact phrase"       with what is not alphanumeric
    ?ERROR ?WARN         either; once any other term stands beside them, the optional ones are not looked at
    ERROR -retry         the one without the other
    %4[0-9]{2}%          a regular expression of the service's own small kind

JSON (`{ … }`) and space-delimited (`[ … ]`) patterns are refused with their position.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import re2

from lambdalog.errors import PatternError

if TYPE_CHECKING:
    from collections.abc import Callable

LENGTH_MAX: Final = 1024
# What the filter pattern syntax page lists: alphanumerics, some signs, and the operators without parentheses.
_REGEX = re.compile(r"[A-Za-z0-9:_#=@/;,\- ^$?\[\]{}|\\*+.]*")

Kind = Literal["required", "optional", "excluded"]
_SIGNS: Final[dict[str, Kind]] = {"?": "optional", "-": "excluded"}
_PREFIX: Final = {"required": "", "optional": "?", "excluded": "-"}


@dataclass(frozen=True, slots=True)
class Term:
    """One term: a text to be found, or a regular expression."""

    text: str
    kind: Kind = "required"
    regex: bool = False
    quoted: bool = False

    def __str__(self) -> str:
        if self.regex:
            body = f"%{self.text}%"
        elif self.quoted:
            body = '"' + self.text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        else:
            body = self.text
        return _PREFIX[self.kind] + body


@dataclass(frozen=True)
class Pattern:
    """A parsed pattern. `str()` prints it back; an empty one matches everything."""

    terms: tuple[Term, ...]
    matches: Callable[[str], bool] = field(compare=False, repr=False)
    """Whether a message matches."""
    literals: tuple[str, ...] = field(compare=False, repr=False, default=())
    """Texts that every matching message contains."""

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))


def parse(text: str) -> Pattern:
    """Read a pattern. PatternError, with the position, for one that CloudWatch Logs would refuse."""
    if len(text) > LENGTH_MAX:
        raise PatternError(f"a filter pattern has at most {LENGTH_MAX} characters", LENGTH_MAX)
    stripped = text.lstrip()
    if stripped[:1] in {"{", "["}:
        raise PatternError(
            "JSON and space-delimited patterns are not supported yet; use terms, phrases or %regex%",
            len(text) - len(stripped),
        )
    terms = tuple(_terms(text))
    required = tuple(term for term in terms if term.kind == "required")
    return Pattern(terms, _compile(terms), tuple(term.text for term in required if not term.regex))


def _terms(text: str) -> list[Term]:
    terms = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        kind: Kind = "required"
        if text[position] in _SIGNS and position + 1 < len(text) and not text[position + 1].isspace():
            kind = _SIGNS[text[position]]
            position += 1
        if text[position] == '"':
            body, position = _phrase(text, position)
            terms.append(Term(body, kind, quoted=True))
        elif text[position] == "%":
            body, position = _regex(text, position)
            terms.append(Term(body, kind, regex=True))
        else:
            end = position
            while end < len(text) and not text[end].isspace():
                end += 1
            terms.append(Term(text[position:end], kind))
            position = end
    return terms


def _phrase(text: str, start: int) -> tuple[str, int]:
    body: list[str] = []
    position = start + 1
    while position < len(text):
        character = text[position]
        if character == '"':
            return "".join(body), position + 1
        if character == "\\" and text[position + 1 : position + 2] in {'"', "\\"}:
            position += 1
            character = text[position]
        body.append(character)
        position += 1
    raise PatternError('the phrase that begins here has no closing "', start)


def _regex(text: str, start: int) -> tuple[str, int]:
    end = text.find("%", start + 1)
    if end < 0:
        raise PatternError("the regular expression that begins here has no closing %", start)
    body = text[start + 1 : end]
    if not body:
        raise PatternError("an empty regular expression", start)
    allowed = _REGEX.match(body)
    if allowed is None or allowed.end() != len(body):
        wrong = allowed.end() if allowed else 0
        raise PatternError(f"{body[wrong]!r} can't stand in a regular expression here", start + 1 + wrong)
    try:
        re2.compile(body)
    except re2.error as error:
        raise PatternError(f"not a regular expression: {error}", start + 1) from None
    return body, end + 1


def _test(term: Term) -> Callable[[str], bool]:
    if term.regex:
        # Linear in the message, whatever the expression: a hostile one can't hang a reader.
        search = re2.compile(term.text).search
        return lambda message: search(message.encode("utf-8", "replace").decode()) is not None
    text = term.text
    return lambda message: text in message


def _compile(terms: tuple[Term, ...]) -> Callable[[str], bool]:
    required = [_test(term) for term in terms if term.kind == "required"]
    excluded = [_test(term) for term in terms if term.kind == "excluded"]
    optional = [_test(term) for term in terms if term.kind == "optional"]
    if required or excluded:
        if len(required) == 1 and not excluded:
            return required[0]
        return lambda message: (
            all(test(message) for test in required) and not any(test(message) for test in excluded)
        )
    if optional:
        return lambda message: any(test(message) for test in optional)
    return lambda _: True
