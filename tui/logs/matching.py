"""What the filter line means: a text, a regular expression, or a CloudWatch filter pattern; all become a `Pattern`."""

from __future__ import annotations

import re
from typing import Final

import re2

from lambdalog.errors import PatternError
from lambdalog.query.literals import of_regex
from lambdalog.query.pattern import Pattern, Term, parse
from lambdalog.query.pattern.regex import reason
from lambdalog.query.pattern.terms import Terms
from tui.logs.mode import Mode

LENGTH_MAX: Final = 1024


def compiled(text: str, mode: Mode) -> Pattern | None:
    """The filter, or None where nothing was typed. PatternError, with the position, for one that can't be."""
    if not text.strip():
        return None
    if len(text) > LENGTH_MAX:
        raise PatternError(f"a filter has at most {LENGTH_MAX} characters", LENGTH_MAX)
    match mode:
        case Mode.TEXT:
            term = Term(text, quoted=True)
            return Pattern(Terms((term,)), lambda message: text in message, (text,))
        case Mode.REGEX:
            return _regex(text)
        case Mode.PATTERN:
            return parse(text)


def _regex(text: str) -> Pattern:
    options = re2.Options()
    options.log_errors = False
    try:
        expression = re2.compile(text, options)
    except re2.error as error:
        raise _refused(error, text) from None
    search = expression.search

    def matches(message: str) -> bool:
        try:
            return search(message) is not None
        except UnicodeEncodeError:  # a lone surrogate, which no expression can ask for
            return search(message.encode("utf-8", "replace").decode()) is not None

    literals = literals_of(text)
    # What AWS is asked for is looser than what is meant; the lines it gives are held against `matches`.
    asked = Terms(tuple(Term(literal, quoted=True) for literal in literals))
    return Pattern(asked, matches, literals)


def _refused(error: re2.error, text: str) -> PatternError:
    """What RE2 says, `missing ]: [a`: what is wrong, and the part of the expression that is."""
    what, _, part = reason(error).partition(": ")
    at = text.rfind(part) if part else -1
    return PatternError(what, at if at >= 0 else len(text))


def literals_of(expression: str) -> tuple[str, ...]:
    """Texts that every match contains, by which lines are passed over undecoded; single characters stand in most lines."""
    return tuple(dict.fromkeys(run for run in of_regex(expression) if len(run) > 1))


def without(selector: str, value: object) -> str | None:
    """A CloudWatch pattern for JSON lines whose field is another; None where a pattern can't say it."""
    return _compared(selector, value, "!=")


def having(selector: str, value: object) -> str | None:
    """A CloudWatch pattern for JSON lines with this value in the field; None where a pattern can't say it."""
    return _compared(selector, value, "=")


def _compared(selector: str, value: object, operator: str) -> str | None:
    if value is None:
        return f"{{ {selector} IS NULL }}" if operator == "=" else None
    if isinstance(value, bool):
        meant = value if operator == "=" else not value
        return f"{{ {selector} IS {'TRUE' if meant else 'FALSE'} }}"
    if isinstance(value, int | float):
        return f"{{ {selector} {operator} {value} }}"
    if isinstance(value, str) and value and len(value) <= 200 and not re.search(r'["\\*\x00-\x1f]', value):
        return f'{{ {selector} {operator} "{value}" }}'
    return None
