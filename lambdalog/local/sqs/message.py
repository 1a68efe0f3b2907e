"""A message: as it is written down when it is sent, and as a receive shows it."""

from __future__ import annotations

import base64
import itertools
import json
import os
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from lambdalog.local.sqs import digests, schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MS_BITS: Final = 20


class Draft(NamedTuple):
    """A message that is to be written down. `attributes` and `system` are JSON, or None where there are none."""

    id: bytes
    body: str
    attributes: str | None
    system: str | None
    group: str | None = None

    @property
    def inline(self) -> bool:
        """Whether the body is carried along in the row that receives rewrite."""
        total = len(self.body)
        if self.attributes is not None:
            total += len(self.attributes)
        if self.system is not None:
            total += len(self.system)
        return total <= schema.INLINE_CHARS


class Taken(NamedTuple):
    """A message as a claim or a look found it; `visible_at` is when it will be seen next."""

    seq: int
    sent: int
    receives: int
    first: int
    receipt: int
    id: bytes
    body: str
    attributes: str | None
    system: str | None
    visible_at: int
    inline: bool = True


class Numbers:
    """Numbers that order messages: by time, and within one process strictly."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._salt = self._drawn()

    @staticmethod
    def _drawn() -> int:
        # Processes that send in the same millisecond get different numbers, all but ever.
        return int.from_bytes(os.urandom(2), "big") << 3

    def renew(self) -> None:
        """Another process has this one's numbers: take others from now on."""
        with self._lock:
            self._salt = self._drawn()
            self._last += self._salt

    def take(self, now: int, count: int = 1) -> int:
        """The first of so many numbers, one after another, at epoch ms `now`."""
        least = (now << _MS_BITS) | self._salt
        with self._lock:
            first = self._last + 1
            first = max(first, least)
            self._last = first + count - 1
        return first


class Ids:
    """Random message ids, drawn from the system in handfuls."""

    def __init__(self) -> None:
        self._pool = itertools.chain.from_iterable(self._handfuls())
        self._lock = threading.Lock()

    @staticmethod
    def _handfuls() -> Any:
        while True:
            data = os.urandom(16 * 64)
            yield [data[start : start + 16] for start in range(0, len(data), 16)]

    def next(self) -> bytes:
        """Sixteen bytes."""
        with self._lock:
            found: bytes = next(self._pool)
            return found


def uuid_text(raw: bytes) -> str:
    """Sixteen bytes as a UUID (version 4); the text itself where an older store kept it."""
    if len(raw) != 16:
        return raw.decode("ascii")
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def dump_attributes(attributes: Mapping[str, Any] | None) -> str | None:
    """MessageAttributes as JSON; bytes as base64."""
    if not attributes:
        return None
    return orjson.dumps(
        attributes, default=lambda value: {"base64": base64.b64encode(bytes(value)).decode()}
    ).decode()


def load_attributes(text: str | None) -> dict[str, Any]:
    """MessageAttributes back from JSON."""
    if not text:
        return {}
    found: dict[str, Any] = json.loads(text)
    for value in found.values():
        if isinstance(value.get("BinaryValue"), dict):
            value["BinaryValue"] = base64.b64decode(value["BinaryValue"]["base64"])
    return found


def shape(
    taken: Taken, account: str, wanted: set[str], attribute_names: Sequence[str], receipt_handle: str | None
) -> dict[str, Any]:
    """The message of a ReceiveMessage; of one that was only looked at, without a handle. `wanted` names system attributes."""
    body = taken.body
    message: dict[str, Any] = {
        "MessageId": uuid_text(taken.id),
        "MD5OfBody": digests.of_text(body),
        "Body": body,
    }
    if receipt_handle is not None:
        message["ReceiptHandle"] = receipt_handle
    if wanted:
        system: dict[str, str] = {
            "SenderId": account,
            **(json.loads(taken.system) if taken.system else {}),
            "SentTimestamp": str(taken.sent),
            "ApproximateReceiveCount": str(taken.receives),
        }
        if taken.first:
            system["ApproximateFirstReceiveTimestamp"] = str(taken.first)
        everything = "All" in wanted
        if chosen := {name: value for name, value in system.items() if everything or name in wanted}:
            message["Attributes"] = chosen
    if attribute_names and taken.attributes:
        attributes = load_attributes(taken.attributes)
        if asked := {name: value for name, value in attributes.items() if named(name, attribute_names)}:
            message["MessageAttributes"] = asked
            message["MD5OfMessageAttributes"] = digests.of_attributes(asked)
    return message


def named(name: str, patterns: Sequence[str]) -> bool:
    """Whether MessageAttributeNames asks for it: All, .*, a name, or a prefix as `foo.*`."""
    return any(
        pattern in {"All", ".*", name} or (pattern.endswith(".*") and name.startswith(pattern[:-2]))
        for pattern in patterns
    )
