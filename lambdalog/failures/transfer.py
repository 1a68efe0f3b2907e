"""Messages as JSON lines, to the byte: out of a queue into a file, and out of a file into a queue."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lambdalog.errors import ReplayError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lambdalog.failures.letter import Letter

FORMAT: Final = 1
BATCH: Final = 10
BATCH_BYTES: Final = 1_000_000


def record_of(letter: Letter) -> dict[str, Any]:
    """A letter's message as ReceiveMessage has it, without a handle."""
    system = dict(letter.system)
    system.setdefault("SentTimestamp", str(letter.sent_at))
    system.setdefault("ApproximateReceiveCount", str(letter.receives))
    return {
        "MessageId": letter.message_id,
        "Body": letter.body,
        "Attributes": system,
        "MessageAttributes": letter.message_attributes,
    }


def line_of(queue: str, message: Mapping[str, Any]) -> bytes:
    """A message as one line; binary attributes in base64, lone surrogates and all other characters as they are."""
    attributes = {
        name: {key: _plain(part) for key, part in value.items() if part is not None}
        for name, value in message.get("MessageAttributes", {}).items()
    }
    record = {
        "format": FORMAT,
        "queue": queue,
        "messageId": message["MessageId"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": attributes,
    }
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def _plain(part: Any) -> Any:
    return base64.b64encode(bytes(part)).decode() if isinstance(part, bytes | bytearray) else part


@dataclass(frozen=True, slots=True)
class Entry:
    """A message out of a file; `line` is where it stands, from 1."""

    line: int
    message_id: str
    body: str
    attributes: dict[str, str]
    message_attributes: dict[str, dict[str, Any]]


def read(lines: Iterable[bytes]) -> Iterator[Entry]:
    """The messages in lines. ReplayError, with the line's number, for one that holds none: nothing after it is read."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _entry(number, json.loads(line.decode("utf-8", "surrogatepass")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise ReplayError(f"line {number} is no exported message: {what}") from None


def _entry(number: int, record: Any) -> Entry:
    if not isinstance(record, dict):
        raise TypeError("it is no JSON object")
    if record.get("format", FORMAT) != FORMAT:
        raise ValueError(f"its format is {record['format']}; this lambdalog knows {FORMAT}")
    if not isinstance(record["body"], str):
        raise TypeError("its body is no text")
    typed = {}
    for name, value in record.get("messageAttributes", {}).items():
        typed[name] = dict(value)
        if "BinaryValue" in value:
            typed[name]["BinaryValue"] = base64.b64decode(value["BinaryValue"], validate=True)
    return Entry(
        number,
        str(record.get("messageId", "")),
        record["body"],
        {str(name): str(value) for name, value in record.get("attributes", {}).items()},
        typed,
    )


@dataclass
class Imported:
    """What came of an import. `refused`: (line, why)."""

    sent: int = 0
    last_line: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


def send(sqs: Any, url: str, entries: Iterable[Entry]) -> Iterator[Imported]:
    """Send messages to a queue as they are, a batch at a time; the state after each batch.

    In a FIFO queue they have their old group, and their old message id as deduplication id: what is imported twice
    within five minutes is there once.
    """
    fifo = url.endswith(".fifo")
    state = Imported()
    batch: list[Entry] = []
    room = BATCH_BYTES
    for entry in entries:
        size = len(entry.body.encode("utf-8", "surrogatepass")) + 4096 * bool(entry.message_attributes)
        if batch and (len(batch) == BATCH or size > room):
            _send(sqs, url, batch, state, fifo=fifo)
            yield state
            batch, room = [], BATCH_BYTES
        batch.append(entry)
        room -= size
    if batch:
        _send(sqs, url, batch, state, fifo=fifo)
    yield state


def _send(sqs: Any, url: str, batch: list[Entry], state: Imported, *, fifo: bool) -> None:
    requests = []
    for index, entry in enumerate(batch):
        request: dict[str, Any] = {"Id": str(index), "MessageBody": entry.body}
        if entry.message_attributes:
            request["MessageAttributes"] = entry.message_attributes
        if trace := entry.attributes.get("AWSTraceHeader"):
            request["MessageSystemAttributes"] = {
                "AWSTraceHeader": {"DataType": "String", "StringValue": trace}
            }
        if fifo:
            request["MessageGroupId"] = entry.attributes.get("MessageGroupId", "imported")
            request["MessageDeduplicationId"] = entry.message_id or f"line-{entry.line}"
        requests.append(request)
    answer = sqs.send_message_batch(QueueUrl=url, Entries=requests)
    state.sent += len(answer.get("Successful", []))
    state.last_line = batch[-1].line
    state.refused += [
        (batch[int(failed["Id"])].line, str(failed.get("Message") or failed["Code"]))
        for failed in answer.get("Failed", [])
    ]
