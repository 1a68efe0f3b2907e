"""Editing events."""

from __future__ import annotations

import pytest

from lambdalog.errors import ConfigError
from lambdalog.failures import Refused, Setting
from lambdalog.failures.edit import edited, pretty, with_settings

EVENT = '{"order":{"total":1.10,"big":12345678901234567890123,"items":[{"n":1}],"odd name":1}}'


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ("order.total=3", '"total":3,'),
        ("$.order.items[0].n=x y", '"items":[{"n":"x y"}]'),
        ("$.order['odd name']=null", '"odd name":null'),
        ("order.new=[1, 2.50]", '"new":[1,2.50]'),
        ('order.total="3"', '"total":"3",'),
        ("$.order.total=", '"total":"",'),
    ],
)
def test_a_value_is_set_and_the_rest_stays(setting: str, found: str) -> None:
    """The value is JSON, or else a text; numbers elsewhere are written as they were."""
    changed = with_settings(EVENT, [Setting(setting)])
    assert found in changed
    assert '"big":12345678901234567890123' in changed
    if "total=" not in setting:
        assert '"total":1.10' in changed


@pytest.mark.parametrize(
    ("event", "setting"),
    [
        (None, "a=1"),
        ("no JSON", "a=1"),
        (EVENT, "none.a=1"),
        (EVENT, "order.items[1]=1"),
        (EVENT, "order[0]=1"),
        (EVENT, "order.items.n=1"),
        ("3", "a=1"),
    ],
)
def test_what_leads_nowhere_is_refused(event: str | None, setting: str) -> None:
    """With the reason, and nothing is changed."""
    with pytest.raises(Refused):
        with_settings(event, [Setting(setting)])


@pytest.mark.parametrize("text", ["", "a", "=1", "a..b=1", "a[x]=1", "$=1"])
def test_what_is_no_setting(text: str) -> None:
    """It is bad usage."""
    with pytest.raises(ConfigError):
        Setting(text)


def test_an_editor_gives_back_json_or_what_was_no_json() -> None:
    """Unchanged is None; JSON is made compact; JSON that broke is refused; other text may become any text."""
    assert edited(EVENT, pretty(EVENT) + "\n") is None
    assert edited('{"a":1}', '{\n  "a": 2\n}\n') == '{"a":2}'
    with pytest.raises(Refused):
        edited('{"a":1}', "{")
    assert edited("hello", "hello there\n") == "hello there"
    assert edited("hello", "hello\n") is None
