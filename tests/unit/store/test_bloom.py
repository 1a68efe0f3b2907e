"""The filter of UUIDs."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from lambdalog.store import bloom


@given(st.lists(st.uuids(), max_size=30), st.text(st.characters(codec="utf-8"), max_size=20), st.booleans())
def test_what_is_in_the_text_is_in_the_filter(ids: list[uuid.UUID], between: str, upper: bool) -> None:
    """No UUID of a text is ever missed, whatever stands around it and in whichever case it is written."""
    texts = [str(one).upper() if upper else str(one) for one in ids]
    data = between.join(texts).encode()
    bits = bloom.build(bloom.uuids(data))
    for text in texts:
        assert bloom.may_hold(bits, bloom.required([text, f"RequestId: {text} and more"]))


def test_what_is_not_in_the_text_is_mostly_not_in_the_filter() -> None:
    """Of a thousand other ids a dozen at most seem to be there."""
    bits = bloom.build({str(uuid.UUID(int=n)).encode() for n in range(2000)})
    others = [str(uuid.UUID(int=n)) for n in range(5000, 6000)]
    assert sum(bloom.may_hold(bits, bloom.required([text])) for text in others) < 12


def test_without_ids_nothing_is_required() -> None:
    """A text without a UUID asks for nothing, so every frame may hold it; an empty filter holds no id."""
    assert bloom.required(["ERROR", "0f8fad5b-d9cb"]) == []
    assert bloom.may_hold(b"", [])
    assert not bloom.may_hold(b"", bloom.required([str(uuid.UUID(int=1))]))
