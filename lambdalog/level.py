"""The severity of one log event's text, whoever wrote it."""

from __future__ import annotations

import re

DEBUG, INFO, WARN, ERROR, FATAL = 10, 20, 30, 40, 50
LEVELS = (DEBUG, INFO, WARN, ERROR, FATAL)
NAMES = {DEBUG: "DEBUG", INFO: "INFO", WARN: "WARN", ERROR: "ERROR", FATAL: "FATAL"}

_WORDS = {
    "TRACE": DEBUG,
    "DEBUG": DEBUG,
    "INFO": INFO,
    "NOTICE": INFO,
    "WARN": WARN,
    "WARNING": WARN,
    "ERROR": ERROR,
    "ERR": ERROR,
    "EXCEPTION": ERROR,
    "FATAL": FATAL,
    "CRITICAL": FATAL,
    "CRIT": FATAL,
}
_JSON = re.compile(r'"(?:level|log_level|levelname|severity)"\s*:\s*"([A-Za-z]{3,9})"')
_OWN = '"level":"'
# Words alone: a search for what must stand before them would try each character.
_WORD = re.compile(r"(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|FATAL|CRIT(?:ICAL)?)(?=$|[\s\]>|):])")
_BEFORE = "[<|("
# What the platform itself writes when an invocation fails carries no level word.
_PLATFORM_BEGINS = ("Traceback (most recent call last)", "LAMBDA_WARNING: Unhandled")
_PLATFORM = ("Task timed out after ", "Error: Runtime exited", "\tStatus: timeout", "\tStatus: error")
_REACH = 400
# So far into a JSON line its level is looked for; one of a megabyte may be nothing but quotes.
_JSON_REACH = 65_536


def level_of(message: str) -> int | None:
    """The level of a log event's text: of its JSON `level` key, else of a level word near its start.

    One of LEVELS, or None where the text names none.
    """
    if message.startswith("{"):
        # What our own logger and Lambda write, in a tenth of what the expression takes. Nothing that the expression could
        # find stands before it.
        at = message.find(_OWN)
        if at > 0 and message.find("level", 1, at) < 0 and message.find("severity", 1, at) < 0:
            begin = at + len(_OWN)
            level = _WORDS.get(message[begin : message.find('"', begin, begin + 10)])
            if level is not None:
                return level
        found = _JSON.search(message, 0, _JSON_REACH)
        return _WORDS.get(found.group(1).upper()) if found else None
    head = message[:_REACH]
    if head.startswith(_PLATFORM_BEGINS) or any(map(head.__contains__, _PLATFORM)):
        return ERROR
    for word in _WORD.finditer(head):
        at = word.start()
        if not at or head[at - 1] in _BEFORE or head[at - 1].isspace():
            return _WORDS[word.group(1)]
    return None
