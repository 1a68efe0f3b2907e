"""Where a replay sends an event: a function, a queue, a file. Each says of each event what came of it.

What is not known to have failed is in doubt: a connection that broke while the answer was awaited, a fault of the
service. Nothing here is tried twice, but for what was refused because of too many requests.
"""

from __future__ import annotations

import base64
import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    ReadTimeoutError,
)

from lambdalog.failures.letter import SOURCE_ATTRIBUTE
from lambdalog.failures.transfer import line_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from lambdalog.failures.letter import Letter

REPLAY_ATTRIBUTE: Final = "LambdalogReplayId"
ATTRIBUTES_MAX: Final = 10
BATCH: Final = 10
# "The maximum ... total payload size ... is 1,048,576 bytes": attributes and all.
BATCH_BYTES: Final = 1_000_000
_LAMBDAS: Final = frozenset(
    {"RequestID", "ErrorCode", "ErrorMessage", "Fingerprint", "FunctionName", "FunctionVersion"}
)


class Parcel(NamedTuple):
    """One event to be sent: the letter it is of, its text, the function it is for, and the id that stays the same."""

    letter: Letter
    event: str
    function: str
    replay_id: str
    message: dict[str, Any]


class Answer(NamedTuple):
    """What came of it; `later`: it was not taken, because of too many requests."""

    state: Literal["acked", "failed", "in-doubt", "later"]
    detail: str


class Target(Protocol):
    """Takes events."""

    width: int
    """How many at once."""

    def send(self, parcels: Sequence[Parcel]) -> list[Answer]:
        """Send them, at most `width`; the answers in their order."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class FunctionTarget:
    """Invokes each event's function, and waits for the answer; `width` of them side by side.

    The replay id is in the client context, as context.client_context.custom["lambdalogReplayId"].
    """

    def __init__(self, client: Any, width: int = 1) -> None:
        self.width = width
        self._client = client
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="replay") if width > 1 else None

    def send(self, parcels: Sequence[Parcel]) -> list[Answer]:
        """Invoke."""
        if self._pool is None or len(parcels) == 1:
            return [self._invoke(parcel) for parcel in parcels]
        return list(self._pool.map(self._invoke, parcels))

    def _invoke(self, parcel: Parcel) -> Answer:
        name, _, qualifier = parcel.function.partition(":")
        if name == "arn":
            name, qualifier = parcel.function, ""
        context = {"custom": {"lambdalogReplayId": parcel.replay_id}}
        arguments: dict[str, Any] = {"Qualifier": qualifier} if qualifier else {}
        try:
            answer = self._client.invoke(
                FunctionName=name,
                Payload=parcel.event.encode(),
                ClientContext=base64.b64encode(json.dumps(context).encode()).decode(),
                **arguments,
            )
            payload = answer["Payload"].read()
        except (ClientError, BotoCoreError) as error:
            return _refused(error)
        if "FunctionError" in answer:
            return Answer("failed", _error(payload))
        request = answer.get("ResponseMetadata", {}).get("RequestId", "")
        return Answer("acked", f"{parcel.function} {request}".rstrip())

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()


class QueueTarget:
    """Sends each event as a message: to one queue, or (no `url`) to the one that its letter came from.

    What SQS moved keeps its attributes and trace header. In a FIFO queue it has its old group and the replay id as its
    deduplication id, for the old one may still be remembered; elsewhere the replay id is a message attribute.
    """

    def __init__(self, sqs: Any, url: str | None) -> None:
        self.width = BATCH
        self._sqs = sqs
        self._url = url
        self._urls: dict[str, str] = {}

    def send(self, parcels: Sequence[Parcel]) -> list[Answer]:
        """Send, in as few requests as the queues and SQS's limits allow."""
        answers: dict[int, Answer] = {}
        batches: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        for index, parcel in enumerate(parcels):
            try:
                url = self._url or self._source(parcel.letter.source)
            except ClientError as error:
                answers[index] = Answer("failed", f"{parcel.letter.source}: {_text(error)}")
                continue
            batches.setdefault(url, []).append((index, _entry(index, parcel, fifo=url.endswith(".fifo"))))
        for url, entries in batches.items():
            for batch in _within_limit(entries):
                answers |= self._send(url, batch)
        return [answers[index] for index in range(len(parcels))]

    def _send(self, url: str, batch: list[tuple[int, dict[str, Any]]]) -> dict[int, Answer]:
        try:
            with self._durably():
                answer = self._sqs.send_message_batch(QueueUrl=url, Entries=[entry for _, entry in batch])
        except (ClientError, BotoCoreError) as error:
            return dict.fromkeys((index for index, _ in batch), _refused(error))
        queue = url.rpartition("/")[2]
        found = {
            int(done["Id"]): Answer("acked", f"{queue} {done['MessageId']}")
            for done in answer.get("Successful", [])
        }
        for failed in answer.get("Failed", []):
            text = str(failed.get("Message") or failed["Code"])
            found[int(failed["Id"])] = Answer("failed" if failed["SenderFault"] else "in-doubt", text)
        return found

    def _durably(self) -> AbstractContextManager[object]:
        """A store's queue writes to disk what it takes, as SQS does: what the journal notes as sent outlives a power cut."""
        return self._sqs.durably() if hasattr(self._sqs, "durably") else nullcontext()

    def _source(self, arn: str) -> str:
        if arn not in self._urls:
            self._urls[arn] = self._sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        return self._urls[arn]

    def close(self) -> None:
        """Nothing to let go of."""


class FileTarget:
    """Appends each message to a file, a JSON object a line, as `lambdalog export` writes it; on disk when it answers."""

    def __init__(self, path: Path) -> None:
        self.width = 100
        # Bytes: what a crash left half written is ended by a line break, so that it spoils no other line.
        self._file = path.open("ab+")
        self._name = str(path)
        self._file.seek(0, os.SEEK_END)
        if self._file.tell():
            self._file.seek(-1, os.SEEK_END)
            if self._file.read(1) != b"\n":
                self._file.write(b"\n")

    def send(self, parcels: Sequence[Parcel]) -> list[Answer]:
        """Write, and wait until the disk has it."""
        try:
            self._file.write(b"".join(line_of(parcel.letter.queue, _kept(parcel)) for parcel in parcels))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            # How much of it is in the file can't be told.
            return [Answer("in-doubt", f"{self._name}: {error.strerror}")] * len(parcels)
        return [Answer("acked", self._name)] * len(parcels)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _kept(parcel: Parcel) -> dict[str, Any]:
    """The message; an edited event stands in its place."""
    if parcel.event == parcel.letter.event or parcel.letter.event is None:
        return parcel.message
    return parcel.message | {"Body": parcel.event}


def sqs_event(letter: Letter, body: str) -> str:
    """The event with which Lambda hands a message of a queue to a function: what a function of that queue expects."""
    region = letter.source.split(":")[3] if letter.source else ""
    attributes = {
        name: {
            "stringValue" if "StringValue" in value else "binaryValue": value.get("StringValue")
            or base64.b64encode(value.get("BinaryValue", b"")).decode(),
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": value.get("DataType", "String"),
        }
        for name, value in letter.message_attributes.items()
    }
    record = {
        "messageId": letter.message_id,
        "receiptHandle": "replayed",
        "body": body,
        "attributes": {name: text for name, text in letter.system.items() if name != SOURCE_ATTRIBUTE},
        "messageAttributes": attributes,
        "md5OfBody": _md5(body),
        "eventSource": "aws:sqs",
        "eventSourceARN": letter.source,
        "awsRegion": region,
    }
    return json.dumps({"Records": [record]}, ensure_ascii=False)


def _md5(text: str) -> str:
    import hashlib

    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _entry(index: int, parcel: Parcel, *, fifo: bool) -> dict[str, Any]:
    letter = parcel.letter
    moved = letter.kind in {"redrive", "message"}
    attributes = {
        name: value
        for name, value in letter.message_attributes.items()
        # What Lambda said of the failure is not the event's.
        if moved or name not in _LAMBDAS
    }
    if len(attributes) < ATTRIBUTES_MAX or REPLAY_ATTRIBUTE in attributes:
        attributes[REPLAY_ATTRIBUTE] = {"DataType": "String", "StringValue": parcel.replay_id}
    entry: dict[str, Any] = {"Id": str(index), "MessageBody": parcel.event, "MessageAttributes": attributes}
    if trace := letter.system.get("AWSTraceHeader"):
        entry["MessageSystemAttributes"] = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
    if fifo:
        entry["MessageGroupId"] = letter.system.get("MessageGroupId") or letter.function or letter.queue
        entry["MessageDeduplicationId"] = parcel.replay_id
    return entry


def _within_limit(entries: list[tuple[int, dict[str, Any]]]) -> list[list[tuple[int, dict[str, Any]]]]:
    batches: list[list[tuple[int, dict[str, Any]]]] = []
    room = 0
    for index, entry in entries:
        size = len(entry["MessageBody"].encode()) + sum(
            len(name)
            + len(value["DataType"])
            + len(value.get("StringValue") or value.get("BinaryValue") or "")
            for name, value in entry["MessageAttributes"].items()
        )
        if not batches or size > room or len(batches[-1]) == BATCH:
            batches.append([])
            room = BATCH_BYTES
        batches[-1].append((index, entry))
        room -= size
    return batches


def _refused(error: ClientError | BotoCoreError) -> Answer:
    """What an error means for the event: whether it was refused, or may have been taken."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response["Error"]["Code"]
        if status == 429 or code in {"TooManyRequestsException", "RequestThrottled", "ThrottlingException"}:
            return Answer("later", _text(error))
        return Answer("in-doubt" if status >= 500 else "failed", _text(error))
    # A connection that could not be made carried nothing; one that broke, or fell silent, may have.
    doubtful = isinstance(error, ReadTimeoutError | ConnectionClosedError) or type(error) is HTTPClientError
    return Answer("in-doubt" if doubtful else "failed", str(error))


def _text(error: ClientError) -> str:
    found = error.response["Error"]
    return f"{found.get('Message') or found['Code']} ({found['Code']})"


def _error(payload: bytes) -> str:
    try:
        found = json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")
    return f"{found.get('errorType')}: {found.get('errorMessage')}" if isinstance(found, dict) else str(found)
