"""`ERROR -retry "exact phrase" ?A ?B %regex%`: terms anywhere in a message."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from lambdalog.query.literals import of_regex
from lambdalog.query.pattern import regex
from lambdalog.query.pattern.scanner import Scanner, quoted

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["required", "optional", "excluded"]
_SIGNS: Final[dict[str, Kind]] = {"?": "optional", "-": "excluded"}
_PREFIX: Final = {"required": "", "optional": "?", "excluded": "-"}
# CloudWatch refuses a term with any other character that stands outside of double quotes: "Invalid filter pattern".
_PLAIN: Final = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Term:
    """One term: a text to be found, or a regular expression."""

    text: str
    kind: Kind = "required"
    regex: bool = False
    # How it was written: it means the same.
    quoted: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        """The term as CloudWatch takes it."""
        if self.regex:
            body = f"%{self.text}%"
        elif self.quoted or not _PLAIN.fullmatch(self.text):
            body = quoted(self.text)
        else:
            body = self.text
        return _PREFIX[self.kind] + body


@dataclass(frozen=True, slots=True)
class Terms:
    """All of a pattern's terms; none match everything."""

    terms: tuple[Term, ...]

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    def literals(self) -> tuple[str, ...]:
        """The texts of required terms, and what their regular expressions can't do without."""
        return tuple(
            text
            for term in self.terms
            if term.kind == "required"
            for text in (of_regex(term.text) if term.regex else (term.text,))
        )

    def regexes(self) -> int:
        """How many terms are regular expressions."""
        return sum(term.regex for term in self.terms)

    def matcher(self) -> Callable[[str], bool]:
        """Whether a message has what is required and nothing that is excluded.

        Optional terms count only where no other term stands beside them.
        """
        required = [_test(term) for term in self.terms if term.kind == "required"]
        excluded = [_test(term) for term in self.terms if term.kind == "excluded"]
        optional = [_test(term) for term in self.terms if term.kind == "optional"]
        if required or excluded:
            if len(required) == 1 and not excluded:
                return required[0]
            return lambda message: (
                all(test(message) for test in required) and not any(test(message) for test in excluded)
            )
        if optional:
            return lambda message: any(test(message) for test in optional)
        return lambda _: True

    def extract(self, message: str) -> dict[str, str]:
        """Terms name no fields."""
        del message
        return {}


def read(text: str) -> Terms:
    """The terms of a text. PatternError for a phrase or an expression without an end, or one that can't be."""
    scanner = Scanner(text)
    terms = []
    scanner.space()
    while scanner.peek():
        kind: Kind = "required"
        if scanner.peek() in _SIGNS and scanner.peek(2)[1:].strip():
            kind = _SIGNS[scanner.peek()]
            scanner.position += 1
        match scanner.peek():
            case '"':
                terms.append(Term(scanner.phrase(), kind, quoted=True))
            case "%":
                terms.append(Term(regex.read(scanner), kind, regex=True))
            case _:
                start = scanner.position
                while scanner.peek() and not scanner.peek().isspace():
                    scanner.position += 1
                terms.append(Term(text[start : scanner.position], kind))
        scanner.space()
    return Terms(tuple(terms))


def _test(term: Term) -> Callable[[str], bool]:
    if term.regex:
        return regex.searcher(term.text)
    text = term.text
    return lambda message: text in message
