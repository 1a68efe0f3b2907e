"""Patterns from whatever wording: a filter pattern, a plain text, or a regular expression of RE2's."""

from __future__ import annotations

from lambdalog.errors import PatternError
from lambdalog.extras import at_a_desk
from lambdalog.query.literals import of_regex
from lambdalog.query.pattern import Pattern, Term, Wording, parse
from lambdalog.query.pattern.regex import reason
from lambdalog.query.pattern.terms import Terms

with at_a_desk():
    import re2


def meant(wording: Wording) -> Pattern:
    """The pattern that was made from this wording, made once more. PatternError, with the position, for one that can't be."""
    match wording.kind:
        case "pattern":
            return parse(wording.text)
        case "plain":
            return plain(wording.text)
        case "expression":
            return expression(wording.text)


def plain(text: str) -> Pattern:
    """Messages that contain a text as it stands."""
    term = Term(text, quoted=True)
    return Pattern(Terms((term,)), lambda message: text in message, (text,), Wording("plain", text))


def expression(text: str) -> Pattern:
    """Messages in which RE2 finds an expression. PatternError, with the position, for what is none."""
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(text, options)
    except re2.error as error:
        raise _refused(error, text) from None
    search = compiled.search

    def matches(message: str) -> bool:
        try:
            return search(message) is not None
        except UnicodeEncodeError:  # a lone surrogate, which no expression can ask for
            return search(message.encode("utf-8", "replace").decode()) is not None

    literals = literals_of(text)
    # What AWS is asked for is looser than what is meant; the lines it gives are held against `matches`.
    asked = Terms(tuple(Term(literal, quoted=True) for literal in literals))
    return Pattern(asked, matches, literals, Wording("expression", text))


def _refused(error: re2.error, text: str) -> PatternError:
    """What RE2 says, `missing ]: [a`: what is wrong, and the part of the expression that is."""
    what, _, part = reason(error).partition(": ")
    at = text.rfind(part) if part else -1
    return PatternError(what, at if at >= 0 else len(text))


def literals_of(expression: str) -> tuple[str, ...]:
    """Texts that every match contains, by which lines are passed over undecoded; single characters stand in most lines."""
    return tuple(dict.fromkeys(run for run in of_regex(expression) if len(run) > 1))
