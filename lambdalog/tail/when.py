"""Times as people type them: 10m, 2h ago, yesterday 14:00, 2026-01-02T03:04."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from lambdalog.errors import TimeError

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
# 10m, 1h30m, "2 hours ago", "1 day 5 min": a unit's first letter tells it.
_PART: Final = r"(\d+(?:\.\d+)?)\s*(s(?:ec(?:ond)?s?)?|m(?:in(?:ute)?s?)?|h(?:(?:ou)?rs?)?|d(?:ays?)?|w(?:eeks?)?)(?![a-z])"
_SPAN: Final = re.compile(rf"(?:{_PART}\s*)+(?:\sago)?", re.IGNORECASE)
_DAY: Final = re.compile(r"(today|yesterday)(?:\s+(?:at\s+)?(\d{1,2}:\d{2}(?::\d{2})?))?", re.IGNORECASE)


def parse_time(text: str, now: float) -> int:
    """A time in epoch ms. `now` is epoch seconds; dates without an offset are local. TimeError for what is none.

    A time of day alone is the last one there was: at two in the night, 23:50 is yesterday's.
    """
    text = text.strip()
    if text.lower() == "now":
        return round(now * 1000)
    if _SPAN.fullmatch(text):
        seconds = sum(
            float(amount) * _UNITS[unit[0].lower()] for amount, unit in re.findall(_PART, text, re.IGNORECASE)
        )
        return round((now - seconds) * 1000)
    here = datetime.fromtimestamp(now).astimezone()
    if found := _DAY.fullmatch(text):
        day = here.date() - timedelta(days=found.group(1).lower() == "yesterday")
        return _local(f"{day.isoformat()}T{(found.group(2) or '00:00').zfill(5)}", text)
    if re.fullmatch(r"\d{1,2}:\d{2}(?::\d{2})?", text):
        days = (here.date() - timedelta(days=ago) for ago in (0, 1))
        today, before = (_local(f"{day.isoformat()}T{text.zfill(5)}", text) for day in days)
        return today if today <= now * 1000 else before
    if re.fullmatch(r"\d{13}", text):
        return int(text)
    return _local(text, text)


def _local(text: str, given: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
        return round((moment.astimezone() if moment.tzinfo is None else moment).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):  # no such day, or none that a local clock has
        raise TimeError(
            f"'{given}' is no time; write 10m, '2h ago', 'yesterday 14:00', 14:05 or 2026-01-02T03:04:05Z"
        ) from None
