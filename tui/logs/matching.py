"""What the filter line means: a text, a regular expression, or a CloudWatch filter pattern; all become a `Pattern`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lambdalog.errors import PatternError
from lambdalog.query.pattern import parse
from lambdalog.query.wording import expression, plain
from tui.logs.mode import Mode

if TYPE_CHECKING:
    from lambdalog.query.pattern import Pattern

LENGTH_MAX: Final = 1024


def compiled(text: str, mode: Mode) -> Pattern | None:
    """The filter, or None where nothing was typed. PatternError, with the position, for one that can't be."""
    if not text.strip():
        return None
    if len(text) > LENGTH_MAX:
        raise PatternError(f"a filter has at most {LENGTH_MAX} characters", LENGTH_MAX)
    match mode:
        case Mode.TEXT:
            return plain(text)
        case Mode.REGEX:
            return expression(text)
        case Mode.PATTERN:
            return parse(text)


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
