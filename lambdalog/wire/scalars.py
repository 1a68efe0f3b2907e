"""Scalars as text: in forms, paths, queries, headers and XML; and timestamps in the forms that the models name."""

from __future__ import annotations

import base64
import binascii
import math
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Final

_NAMES: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def parse(text: str, shape: Any) -> Any:
    """The value of a scalar shape from its text. ValueError if it is none."""
    match shape.type_name:
        case "integer" | "long":
            return int(text)
        case "float" | "double":
            return parse_float(text)
        case "boolean":
            if text not in {"true", "false"}:
                raise ValueError(f"{text} is no boolean")
            return text == "true"
        case "blob":
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error:
                raise ValueError("not base64") from None
        case "timestamp":
            return parse_timestamp(text)
        case _:
            return text


def text_of(value: Any, shape: Any, timestamps: str = "iso8601") -> str:
    """A scalar's text; `timestamps` is the form of those whose shape names none."""
    match shape.type_name:
        case "boolean":
            return "true" if value else "false"
        case "blob":
            return base64.b64encode(bytes(value)).decode()
        case "timestamp":
            return str(timestamp(value, shape.serialization.get("timestampFormat", timestamps)))
        case "float" | "double":
            return str(named(value))
        case _:
            return str(value)


def named(value: float) -> float | str:
    """A number, or the name of one that JSON and XML can't write."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def clean(text: str) -> str:
    """Text without lone surrogates: neither a file nor a database holds them."""
    return text.encode("utf-8", "replace").decode()


def parse_float(text: str) -> float:
    """A number or its name. ValueError if it is none."""
    return _NAMES[text] if text in _NAMES else float(text)


def timestamp(value: Any, form: str) -> int | float | str:
    """A moment (a datetime, or epoch seconds) in a model's form: unixTimestamp, iso8601 or rfc822."""
    if form.lower() == "unixtimestamp":
        seconds = value.timestamp() if isinstance(value, datetime) else value
        return int(seconds) if seconds == int(seconds) else seconds
    moment = value if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)
    moment = moment.astimezone(UTC)
    if form == "rfc822":
        return format_datetime(moment, usegmt=True)
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3]}Z"


def parse_timestamp(text: str) -> datetime:
    """A moment from any of the forms: clients differ in which they send. ValueError if it is none."""
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (OverflowError, OSError):
        raise ValueError("not a timestamp") from None
    except ValueError:
        pass  # no number
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            found = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError):
            raise ValueError("not a timestamp") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
