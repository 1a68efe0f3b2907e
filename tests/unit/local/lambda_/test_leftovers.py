"""Packages that nothing needs are cleared away, and no others."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from lambdalog.local.lambda_.leftovers import sweep
from tests.functions import zipped

if TYPE_CHECKING:
    from pathlib import Path


def test_a_package_goes_a_day_after_its_last_use(client: Any, store_path: Path) -> None:
    """Replaced code stays for a day; what a function, a version or a layer needs stays for ever."""
    code = store_path / "code"

    def ids() -> set[str]:
        return {path.name for path in code.iterdir()}

    for number in range(3):
        client.update_function_code(FunctionName="f", ZipFile=zipped(app=f"x = {number}"))
        if number == 1:
            client.publish_version(FunctionName="f")
    client.publish_layer_version(LayerName="l", Content={"ZipFile": zipped(layer="y = 1")})
    client.delete_layer_version(LayerName="l", VersionNumber=1)
    (code / ".half-made").mkdir()
    assert len(ids()) == 5
    assert sweep(code, client.catalog, time.time()) == 0
    assert sweep(code, client.catalog, time.time() + 90_000) == 2
    assert len(ids()) == 3
    assert client.spec(client.find("f", "1")).code.name in ids()
    assert sweep(store_path / "none", client.catalog, time.time()) == 0


def test_a_package_that_is_used_again_is_young(client: Any, store_path: Path) -> None:
    """Uploaded once more, the same bytes are the same folder, and its day begins anew."""
    client.update_function_code(FunctionName="f", ZipFile=zipped(app="x = 1"))
    folder = client.spec(client.find("f")).code
    os.utime(folder, (0, 0))
    client.update_function_code(FunctionName="f", ZipFile=zipped(app="x = 1"))
    client.delete_function(FunctionName="f")
    assert sweep(store_path / "code", client.catalog, time.time()) == 0
