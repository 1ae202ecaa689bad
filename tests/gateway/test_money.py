"""Amounts: what is shown is what is typed, to the last millionth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.gateway.money import MAX_AMOUNT, parse_amount, shown_amount


@given(st.integers(0, MAX_AMOUNT))
def test_what_is_shown_can_be_typed(amount: int) -> None:
    assert parse_amount(shown_amount(amount)) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0"), (1, "0.000001"), (12_500_000, "12.5"), (-1_000_000, "-1"), (MAX_AMOUNT, "9000000000")],
)
def test_how_it_is_shown(amount: int, text: str) -> None:
    assert shown_amount(amount) == text


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1.", ".5", "1e3", "1.0000001", "1,5", " 1", "１", "9000000000.000001", "9" * 11, "nan"]
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(ValueError, match="up to six decimals"):
        parse_amount(text)
