"""The operations of CloudWatch Logs, all together."""

from __future__ import annotations

from typing import ClassVar

from lambdalog.local.logs.events import Events
from lambdalog.local.logs.groups import Groups
from lambdalog.local.logs.streams import Streams
from lambdalog.local.logs.tags import Tags


class Logs(Groups, Tags, Streams, Events):
    """A boto3-shaped CloudWatch Logs client on a `LogStore`.

    Times are epoch ms. Errors carry AWS's codes and texts; a disk that refuses is ServiceUnavailableException.
    """

    notes: ClassVar[dict[str, str]] = {
        "PutLogEvents": "The sequence token is always the same; AWS ignores it as well.",
        "DescribeLogStreams": "`storedBytes` is 0, as AWS has answered since 2019.",
    }
