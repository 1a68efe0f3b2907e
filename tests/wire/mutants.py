"""Malformed requests to a served store, each made from a number: what a careless or hostile client could send.

They are made of requests that would be right, and signed; of what would change the store, each asks for what can't be done
as it stands, so that a change tells of a request that was taken for another.
"""

from __future__ import annotations

import gzip
import json
import random
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from unittest import mock
from urllib.parse import urlencode

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from lambdalog.server.signature import Keys

JSON: Final = "application/x-amz-json-1.1"
FORM: Final = "application/x-www-form-urlencoded; charset=utf-8"
ACCOUNT: Final = "000000000000"
BOMB: Final = gzip.compress(b"0" * 20_000_000, 1)


class Right(NamedTuple):
    """A request that would be right. `service` is the one it is signed for."""

    service: str
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def _json(service: str, target: str, **params: Any) -> Right:
    return Right(
        service, "POST", "/", {"Content-Type": JSON, "X-Amz-Target": target}, json.dumps(params).encode()
    )


def _form(service: str, version: str, action: str, **fields: str) -> Right:
    body = urlencode({"Action": action, "Version": version, **fields}).encode()
    return Right(service, "POST", "/", {"Content-Type": FORM}, body)


def _rest(method: str, path: str, **params: Any) -> Right:
    body = json.dumps(params).encode() if params else b""
    return Right("lambda", method, path, {"Content-Type": "application/json"}, body)


RIGHT: Final = (
    _json("logs", "Logs_20140328.CreateLogGroup", logGroupName="g"),
    _json("logs", "Logs_20140328.DeleteLogGroup", logGroupName="none"),
    _json("logs", "Logs_20140328.DescribeLogGroups", limit=5),
    _json(
        "logs",
        "Logs_20140328.PutLogEvents",
        logGroupName="g",
        logStreamName="none",
        logEvents=[{"timestamp": 1, "message": "m"}],
    ),
    _json("logs", "Logs_20140328.FilterLogEvents", logGroupName="g", filterPattern="{ $.a = 1 }"),
    _json("logs", "Logs_20140328.PutRetentionPolicy", logGroupName="none", retentionInDays=7),
    _json("sqs", "AmazonSQS.GetQueueUrl", QueueName="q"),
    _json(
        "sqs",
        "AmazonSQS.SendMessage",
        QueueUrl=f"http://localhost/{ACCOUNT}/none",
        MessageBody="m",
        MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}},
    ),
    _json("sqs", "AmazonSQS.DeleteQueue", QueueUrl=f"http://localhost/{ACCOUNT}/none"),
    _form(
        "sqs",
        "2012-11-05",
        "SendMessage",
        QueueUrl=f"http://localhost/{ACCOUNT}/none",
        MessageBody="m",
        **{"MessageAttribute.1.Name": "a", "MessageAttribute.1.Value.DataType": "String"},
    ),
    _form("sns", "2010-03-31", "CreateTopic", Name="t"),
    _form(
        "sns",
        "2010-03-31",
        "Publish",
        TopicArn=f"arn:aws:sns:us-east-1:{ACCOUNT}:none",
        Message="m",
        **{"MessageAttributes.entry.1.Name": "a", "MessageAttributes.entry.1.Value.DataType": "String"},
    ),
    _form("sns", "2010-03-31", "ListTopics"),
    _form("sts", "2011-06-15", "GetCallerIdentity"),
    _rest("GET", "/2015-03-31/functions/none"),
    _rest("GET", "/2015-03-31/functions/?MaxItems=5"),
    _rest("DELETE", "/2015-03-31/functions/none"),
    _rest("POST", "/2015-03-31/functions/none/invocations", a=1),
    _rest(
        "POST",
        "/2015-03-31/functions",
        FunctionName="f",
        Role="no role",
        Runtime="python3.11",
        Handler="a.b",
        Code={"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
    ),
)

_SIGNING: Final = threading.Lock()


class Mutants:
    """Makes the malformed request of a number for the endpoint `host`, signed with `keys` at `now` where it is signed."""

    def __init__(self, keys: Keys, host: str, now: datetime) -> None:
        self._credentials = Credentials(keys.access_key, keys.secret_key)
        self._host = host
        self._now = now.replace(tzinfo=None)
        self._whole = [self.signed(right) for right in RIGHT]
        self._whole += [self.signed(right, presigned=True) for right in RIGHT if not right.body]

    def signed(self, right: Right, *, presigned: bool = False) -> bytes:
        """A request as it goes over the wire, everything in its head signed."""
        headers = {"Host": self._host, **right.headers, "Content-Length": str(len(right.body))}
        request = AWSRequest(right.method, f"http://{self._host}{right.path}", headers, right.body)
        kind = SigV4QueryAuth if presigned else SigV4Auth
        # Threads make them, and whoever took back another's patch would leave it for good.
        with _SIGNING, mock.patch("botocore.auth.get_current_datetime", return_value=self._now):
            kind(self._credentials, right.service, "us-east-1").add_auth(request)
        url = str(request.url).removeprefix(f"http://{self._host}")
        head = "".join(f"{name}: {_text(value)}\r\n" for name, value in request.headers.items())
        return f"{right.method} {url} HTTP/1.1\r\n{head}\r\n".encode() + right.body

    def make(self, number: int) -> tuple[str, bytes]:
        """The name of its kind, and the bytes."""
        kind = KINDS[number % len(KINDS)]
        return kind.__name__.strip("_"), kind(self, random.Random(number))

    def whole(self, random_: random.Random) -> bytes:
        """One that would be right."""
        return random_.choice(self._whole)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _bits(mutants: Mutants, random_: random.Random) -> bytes:
    """Bits that flipped on the way."""
    data = bytearray(mutants.whole(random_))
    for _ in range(random_.choice((1, 1, 2, 8, 64))):
        data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
    return bytes(data)


def _truncated(mutants: Mutants, random_: random.Random) -> bytes:
    """The beginning of one; the peer is gone then."""
    data = mutants.whole(random_)
    return data[: random_.randrange(len(data))]


def _length(mutants: Mutants, random_: random.Random) -> bytes:
    """A length that isn't the body's, or none at all."""
    data = mutants.whole(random_)
    head, _, body = data.partition(b"\r\n\r\n")
    right = f"Content-Length: {len(body)}".encode()
    wrong = random_.choice(
        (
            str(random_.randrange(len(body) + 1)),
            str(len(body) + random_.randrange(1, 1000)),
            str(10 ** random_.randrange(6, 40)),
            f"-{random_.randrange(100)}",
            "0x10",
            "1e3",
            "",
            f"{len(body)}, {len(body) + 1}",
            f"{len(body)}\r\nContent-Length: {len(body) + 1}",
        )
    )
    return head.replace(right, f"Content-Length: {wrong}".encode()) + b"\r\n\r\n" + body


def _chunks(mutants: Mutants, random_: random.Random) -> bytes:
    """A body in chunks whose sizes lie."""
    head, _, body = mutants.whole(random_).partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    if random_.random() < 0.2:
        lines.append(b"Content-Length: %d" % len(body))
    size = random_.choice(
        (
            b"%x" % len(body),
            b"%x" % (len(body) + 3),
            b"-1",
            b"zz",
            b"",
            b"f" * 17,
            b"0" * 70_000,
            b"5;" + b"x" * 99,
        )
    )
    end = random_.choice(
        (b"\r\n0\r\n\r\n", b"\r\n", b"0\r\n\r\n", b"\r\n0\r\nX-Late: 1\r\nHost: evil\r\n\r\n", b"")
    )
    return b"\r\n".join([*lines, b"Transfer-Encoding: chunked"]) + b"\r\n\r\n" + size + b"\r\n" + body + end


def _signature(mutants: Mutants, random_: random.Random) -> bytes:
    """A signature of another, of another time, in another form, or half of one."""
    data = mutants.whole(random_)
    places = (
        b"Signature=",
        b"Credential=",
        b"SignedHeaders=",
        b"X-Amz-Date",
        b"aws4_request",
        b"AWS4-HMAC-SHA256",
    )
    place = random_.choice([found for found in places if found in data])
    at = data.index(place) + random_.randrange(len(place) + 20)
    noise = bytes(random_.choice(b"0123456789abcdefXYZ/;,=%") for _ in range(random_.randrange(1, 70)))
    return data[:at] + noise + data[at + random_.randrange(len(noise) + 1) :]


def _deep(mutants: Mutants, random_: random.Random) -> bytes:
    """JSON without an end, signed, so that it is looked into."""
    right = random_.choice([right for right in RIGHT if right.body.startswith(b"{")])
    depth = random_.choice((100, 1100, 20_000))
    opening, closing = random_.choice(((b"[", b"]"), (b'{"a":', b"}")))
    deep = opening * depth + b"1" + (closing * depth if random_.random() < 0.7 else b"")
    return mutants.signed(right._replace(body=random_.choice((deep, b'{"logGroupName":' + deep + b"}"))))


def _head(mutants: Mutants, random_: random.Random) -> bytes:
    """Headers that are huge, many, doubled, or none."""
    head, _, body = mutants.whole(random_).partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    more = random_.choice(
        (
            [b"X-Long: " + b"x" * random_.randrange(1000, 100_000)],
            [b"X-%d: y" % n for n in range(random_.randrange(10, 3000))],
            [random_.choice(lines)],
            [b"Host: evil.example"],
            [b"Origin: https://evil.example"],
            [b"no colon"],
            [b": no name"],
            [b"X-Null: \0"],
            [b"Expect: 100-continue"],
            [b"Upgrade: h2c", b"Connection: upgrade"],
            [b" folded: yes"],
        )
    )
    at = random_.randrange(len(lines) + 1)
    return b"\r\n".join([first, *lines[:at], *more, *lines[at:]]) + b"\r\n\r\n" + body


def _values(mutants: Mutants, random_: random.Random) -> bytes:
    """Signed, and JSON, but of other types than the operation's; or with an operation that is none."""
    right = random_.choice([right for right in RIGHT if right.body.startswith(b"{")])
    params = json.loads(right.body)
    wrong: tuple[Any, ...] = (None, True, -1, 1.5, 10**400, 10**30, [], [[]], {}, {"a": None}, [None] * 1000)
    for name in random_.sample(sorted(params), random_.randrange(1, len(params) + 1)):
        params[name] = random_.choice(wrong)
    headers = dict(right.headers)
    if random_.random() < 0.1 and "X-Amz-Target" in headers:
        headers["X-Amz-Target"] += random_.choice(("x", ".", "\u00e9", "/../x"))
    return mutants.signed(right._replace(headers=headers, body=json.dumps(params).encode()))


def _bodies(mutants: Mutants, random_: random.Random) -> bytes:
    """Signed, with a body that is no body: cut, not text, packed wrongly, of another protocol."""
    right = random_.choice([right for right in RIGHT if right.body])
    body = random_.choice(
        (
            right.body[: random_.randrange(1, len(right.body))],
            random_.randbytes(random_.randrange(1, 300)),
            b"\xff\xfe" + right.body,
            right.body + right.body,
            b"[]",
            b"null",
            b'"' + b"x" * 1000,
            b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
            b"&".join(b"a.%d=b" % n for n in range(25_000)),
            b"MessageAttribute.999999999999.Name=" + right.body,
        )
    )
    if random_.random() < 0.3:
        bombs = (b"\x1f\x8b" + body, BOMB, gzip.compress(body)[:-6])
        headers = {**right.headers, "Content-Encoding": "gzip"}
        return mutants.signed(right._replace(headers=headers, body=random_.choice(bombs)))
    return mutants.signed(right._replace(body=body))


def _paths(mutants: Mutants, random_: random.Random) -> bytes:
    """Signed, on a path that leads nowhere or upwards."""
    method = random_.choice(("GET", "DELETE", "PATCH", "HEAD", "OPTIONS", "PUT"))
    name = random_.choice(
        ("..", "%2e%2e%2f%2e%2e", "%00", "a" * 5000, "none:x:y", "%ff", "arn:aws:lambda:::", "%E2%82%AC", "*")
    )
    path = random_.choice(
        (
            f"/2015-03-31/functions/{name}",
            f"/2015-03-31/functions/{name}/aliases/{name}",
            f"/2018-10-31/layers/{name}/versions/{name}",
            f"/2015-03-31/event-source-mappings/{name}",
            f"/{name}",
            f"/2015-03-31/functions/?MaxItems={name}&Marker={name}",
            "/2015-03-31/functions//",
        )
    )
    return mutants.signed(Right("lambda", method, path, {}, b""))


KINDS: Final[tuple[Callable[[Mutants, random.Random], bytes], ...]] = (
    _bits,
    _truncated,
    _length,
    _chunks,
    _signature,
    _deep,
    _head,
    _values,
    _bodies,
    _paths,
    _bits,
)
