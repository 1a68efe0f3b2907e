"""docs/aws-compatibility.md, from the code: which operations the doubles have, and what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdalog.local.base import implemented, operations
from lambdalog.local.cloudwatch import CloudWatch
from lambdalog.local.lambda_ import Lambda
from lambdalog.local.logs import Logs
from lambdalog.local.sns import Sns
from lambdalog.local.sqs import Sqs

if TYPE_CHECKING:
    from lambdalog.local.base import Double

_NAMES: tuple[tuple[str, type[Double]], ...] = (
    ("CloudWatch Logs", Logs),
    ("CloudWatch", CloudWatch),
    ("SQS", Sqs),
    ("SNS", Sns),
    ("Lambda", Lambda),
)

_HEAD = """\
# What differs from AWS

Made from the code by `make docs`. An operation that is not there is answered as the service answers one that it doesn't
know. On AWS (`connect("aws")`) every operation is AWS's own.

A refusal has the code and the status of AWS's service models, and word for word the text that AWS was recorded to give
(`tests/contract/errors` has each). Where nobody recorded one, the words are ours, after AWS's documentation: match on codes.
Of topics and queues these are:

- SNS: values of a topic's attributes, delivery policies, data protection policies; the limits of tags and of filter
  policies; in filter policies `cidr`, wildcards that follow one another, and what is wrong within `numeric` and
  `anything-but` lists; dead-letter queues of the wrong kind for a subscription.
- SQS: the limits of tags and of messages in flight; `MaxResults` and `NextToken`; a deduplication scope that doesn't suit its
  throughput limit.
"""


def render() -> str:
    """The page, as Markdown."""
    parts = [_HEAD]
    for title, double in _NAMES:
        there = sorted(implemented(double))
        missing = sorted(set(operations(double.service).values()) - set(there))
        parts.append(f"## {title}\n\n| operation | what differs |\n|---|---|")
        parts[-1] += "".join(f"\n| {name} | {double.notes.get(name, '')} |" for name in there)
        if missing:
            parts.append(f"Not there ({len(missing)}): {', '.join(missing)}.\n")
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"
