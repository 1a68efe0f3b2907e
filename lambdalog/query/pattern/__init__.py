"""CloudWatch Logs filter patterns: the whole language, parsed once into a tree, printed back, compiled to a matcher.

    ERROR timeout -retry        terms, all of them anywhere in the message; `-` excludes
    "exact phrase"  ?A ?B       phrases; optional terms, either
    %4[0-9]{2}%                 a regular expression of the service's own small kind
    { $.level = "ERROR" && $.ms > 250 }         fields of JSON messages
    [ip, user, ..., status = 5*, bytes]         fields of space-delimited messages

The same pattern gives the same answer wherever it is asked: `parse(text).matches(message)`.
"""

from lambdalog.query.pattern.pattern import LENGTH_MAX, Pattern, Wording, parse
from lambdalog.query.pattern.terms import Term

__all__ = ["LENGTH_MAX", "Pattern", "Term", "Wording", "parse"]
