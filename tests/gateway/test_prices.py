"""Laws of prices: whole micro-units, never more charged than held, and nothing that a store cannot hold."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from envelope.gateway.money import MAX_AMOUNT
from envelope.gateway.prices import FREE, Price, Prices
from envelope.gateway.upstreams import Usage

AMOUNTS = st.integers(0, 10**7) | st.sampled_from([0, 1, MAX_AMOUNT])
PRICES = st.builds(
    Price, call=AMOUNTS, cached=AMOUNTS, prompt=AMOUNTS, completion=AMOUNTS, max_completion=st.integers(1, 10**6)
)
COUNTS = st.integers(0, 10_000) | st.sampled_from([2**53, 2**63, 10**30])
MAXIMA = ["max_tokens", "max_completion_tokens", "max_output_tokens"]
NAMES = st.sampled_from([*MAXIMA, "n", "best_of"])
VALUES = COUNTS | st.none() | st.booleans() | st.text(max_size=5) | st.floats() | st.lists(st.integers(), max_size=2)
ARGS = st.dictionaries(NAMES | st.text(max_size=3), VALUES, max_size=5)


@given(PRICES, ARGS, COUNTS)
def test_a_hold_is_a_whole_number_that_a_store_can_hold(price: Price, args: dict[str, Any], size: int) -> None:
    hold = price.hold(args, size)
    assert type(hold) is int
    assert 0 <= hold <= MAX_AMOUNT + 1


@given(PRICES, st.data(), st.integers(0, 10_000), st.integers(1, 10_000), st.integers(1, 100), st.booleans())
def test_usage_within_its_bounds_costs_no_more_than_is_held(
    price: Price, data: st.DataObject, size: int, most: int, choices: int, as_text: bool
) -> None:
    args = {
        data.draw(st.sampled_from(MAXIMA)): most,
        data.draw(st.sampled_from(["n", "best_of"])): choices,
    }
    sent = {name: str(value) for name, value in args.items()} if as_text else args
    usage = Usage(data.draw(st.integers(0, size)), data.draw(st.integers(0, most * choices)))
    charge = price.charge(usage, size=size, delivered=0)
    assert type(charge) is int
    assert 0 <= charge <= price.hold(sent, size)
    assert price.hold(sent, size) == price.hold(args, size)


@given(PRICES, COUNTS, COUNTS, COUNTS, COUNTS)
def test_more_tokens_never_cost_less(price: Price, prompt: int, completion: int, more: int, yet: int) -> None:
    less = price.charge(Usage(prompt, completion), size=0, delivered=0)
    assert less <= price.charge(Usage(prompt + more, completion + yet), size=0, delivered=0) <= MAX_AMOUNT + 1


@given(PRICES, ARGS, COUNTS, COUNTS, COUNTS)
def test_more_that_is_asked_for_never_holds_less(
    price: Price, args: dict[str, Any], size: int, more: int, most: int
) -> None:
    assert price.hold(args, size) <= price.hold(args, size + more)
    asked = {**args, **dict.fromkeys(MAXIMA), "max_tokens": most + 1}
    assert price.hold(asked, size) <= price.hold({**asked, "max_completion_tokens": most + 1 + more}, size)


@given(PRICES, st.integers(0, 10_000), st.integers(0, 10_000))
def test_without_usage_the_prompt_costs_as_held_and_each_byte_is_a_token(
    price: Price, size: int, delivered: int
) -> None:
    assert price.charge(None, size=size, delivered=delivered) == price.charge(
        Usage(size, delivered), size=0, delivered=0
    )


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_part_of_a_micro_unit_is_rounded_up(price: int, tokens: int) -> None:
    charge = Price(prompt=price).charge(Usage(tokens, 0), size=0, delivered=0)
    assert 1000 * (charge - 1) < price * tokens <= 1000 * charge


def test_the_first_row_that_names_a_call_is_its_price() -> None:
    rows = [
        Price(method="v1/chat/*", model="gpt-4*", call=1),
        Price(method="v1/chat/*", call=2),
        Price(model="", call=3),
    ]
    prices = Prices(rows)
    assert [
        prices.of(*names).call
        for names in (("v1/chat/completions", "gpt-4o"), ("v1/chat/x", "other"), ("v1/models", ""))
    ] == [1, 2, 3]
    assert prices.of("v1/models", "GPT-4") == FREE
    assert FREE.hold({"max_tokens": 10**9}, 10**9) == 0
