"""What invocations cost."""

from __future__ import annotations

import pytest

from lambdalog.errors import ConfigError
from lambdalog.prices import Prices, cost


def test_prices() -> None:
    """A million requests of 100 ms at 1,024 MB on x86 cost the example's price; arm is cheaper; prices can be set."""
    each = 0.1
    assert cost(Prices(), requests=1_000_000, gb_seconds=each * 1_000_000) == pytest.approx(1.86667)
    arm = cost(Prices(), requests=1_000_000, gb_seconds=each * 1_000_000, architecture="arm64")
    assert arm == pytest.approx(1.53334)
    assert cost(Prices(gb_second_x86=0, million_requests=1), requests=500_000, gb_seconds=9) == 0.5


def test_the_environment_sets_prices() -> None:
    """Each variable sets its price, and leaves the others AWS's."""
    assert Prices.of({}) == Prices.of({"LAMBDALOG_PRICE_GB_SECOND": ""}) == Prices()
    assert Prices.of({"LAMBDALOG_PRICE_GB_SECOND_ARM": "0.5"}) == Prices(gb_second_arm=0.5)
    assert Prices.of(
        {"LAMBDALOG_PRICE_GB_SECOND": "1e-5", "LAMBDALOG_PRICE_MILLION_REQUESTS": "0"}
    ) == Prices(gb_second_x86=1e-5, million_requests=0.0)


@pytest.mark.parametrize("text", ["cheap", "-1", "nan", "inf"])
def test_what_is_no_price_is_refused(text: str) -> None:
    """A variable that holds no price is named."""
    with pytest.raises(ConfigError, match="LAMBDALOG_PRICE_GB_SECOND is"):
        Prices.of({"LAMBDALOG_PRICE_GB_SECOND": text})
