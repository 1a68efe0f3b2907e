"""A store with a bit of everything, for those who divide what is read."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

from lambdalog.store.maintenance import maintain_group

if TYPE_CHECKING:
    from lambdalog.store import LogStore

T0 = 1_700_000_000_000
GROUPS = ("g", "h")
EVENTS = 6000


def fill(store: LogStore) -> None:
    """Two groups of three streams: sealed files of many frames, one of them damaged, and live ones; at times out of order."""
    chance = random.Random(5)
    for group in GROUPS:
        store.create_group(group)
        for stream in "abc":
            store.create_stream(group, stream)
    for number in range(0, EVENTS, 20):
        if number == EVENTS * 3 // 4:
            store.close()
            for group in GROUPS:
                maintain_group(store, group)
        group, stream = GROUPS[number // 20 % 2], "abc"[number // 40 % 3]
        events = []
        for each in range(number, number + 20):
            record = {
                "n": each,
                "ms": chance.randrange(1000) / 10,
                "level": chance.choice(["INFO"] * 9 + ["ERROR"]),
            }
            text = json.dumps(record | {"text": chance.randbytes(60).hex()})
            events.append(
                (T0 + each * 10 + chance.randrange(1500), text if each % 7 else f"plain {each} {text}")
            )
        store.append(group, stream, sorted(events), ingestion=T0 + number)
    store.close()
    path = max(store.layout.group("h").sealed.iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(data)
