"""The bill check: totals against an independent count, exact money, bounds on what a log can make it hold."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Context, Decimal, localcontext
from random import Random
from typing import Any, get_args

import pytest

from envelope import Envelope, UnknownCode
from envelope.answers.bills import BillLine, check_bill
from envelope.answers.verdicts import UpstreamErrors, judge, who_pays
from envelope.registry.codes import REGISTRY, Billing

PRICES = {"0000": Decimal("0.0213"), "2000": Decimal("0.007")}
CODES = [*(row.code for row in REGISTRY), "4011", "9999", ""]


def log(count: int, seed: int = 1) -> Iterator[Envelope[Any]]:
    """Answers with every code, and with some that are not in the registry."""
    rng = Random(seed)
    return (Envelope(response={"n": rng.random()}, error_code=rng.choice(CODES)) for _ in range(count))


def test_totals_are_those_of_an_independent_count() -> None:
    bill = check_bill(log(20_000), PRICES)
    counted = Counter(answer.error_code for answer in log(20_000))
    assert {code: line.calls for code, line in bill.by_code.items()} == {
        row.code: counted[row.code] for row in REGISTRY
    }
    assert bill.unknown == {code: counted[code] for code in ("4011", "9999", "")}
    assert list(bill.by_code) == [row.code for row in REGISTRY]
    charge = counted["0000"] * Decimal("0.0213") + counted["2000"] * Decimal("0.007")
    assert bill.total == BillLine(20_000, charge)
    assert bill.by_billing[Billing.CHARGED] == BillLine(counted["0000"] + counted["2000"], charge)
    assert bill.by_billing[Billing.UNKNOWN] == BillLine(sum(bill.unknown.values()))
    assert sum(line.calls for line in bill.by_billing.values()) == 20_000
    assert set(bill.by_billing) == set(Billing)
    assert bill.unlisted == 0


def test_memory_does_not_grow_with_the_log() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        check_bill(log(count), PRICES)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)  # what is made once
    assert peak(20_000) < peak(200) + 20_000


def test_a_log_of_ever_new_codes_is_counted_but_not_kept() -> None:
    bill = check_bill((Envelope.fail(f"{n:040d}"[::-1]) for n in range(5000)), PRICES)
    assert len(bill.unknown) == 1000
    assert max(map(len, bill.unknown)) == 32
    assert sum(bill.unknown.values()) + bill.unlisted == bill.total.calls == 5000
    assert set(bill.by_code.values()) == {BillLine()}


def test_money_is_exact_whatever_the_callers_context() -> None:
    price = Decimal("0.1234567890123456789012345678901234567")
    with localcontext(Context(prec=3)):
        bill = check_bill([Envelope.ok([])] * 30, {"0000": price, "2000": 0})
    assert str(bill.total.charge) == "3.7037036703703703670370370367037037010"


def test_an_override_moves_a_code_to_another_line() -> None:
    registry = REGISTRY.override("4008", billing="charged").override("2000", billing="free")
    bill = check_bill([Envelope.fail("4008"), Envelope.fail("2000")], {"0000": 1, "4008": 3}, registry=registry)
    assert bill.total == BillLine(2, Decimal(3))
    assert bill.by_billing[Billing.FREE].calls == 1


def test_a_code_with_unknown_billing_counts_as_unknown_too() -> None:
    registry = REGISTRY.override("5000", billing="unknown")
    bill = check_bill([Envelope.fail("5000"), Envelope.fail("7777")], {"0000": 1, "2000": 1}, registry=registry)
    assert bill.by_billing[Billing.UNKNOWN] == BillLine(2)
    assert bill.unknown == {"7777": 1}


@pytest.mark.parametrize(
    ("prices", "error", "words"),
    [
        ({"0000": 1}, ValueError, "no price for 2000"),
        ({}, ValueError, "no price for 0000, 2000"),
        ({"0000": 1, "2000": 0.1}, TypeError, "2000 is a Decimal or an int, not float"),
        ({"0000": True, "2000": 1}, TypeError, "not bool"),
        ({"0000": Decimal("NaN"), "2000": 1}, ValueError, "price of 0000 is not an amount"),
        ({"0000": Decimal("1E+999999"), "2000": 1}, ValueError, "price of 0000 is not an amount"),
        ({"0000": Decimal("1E-99999999"), "2000": 1}, ValueError, "price of 0000 is not an amount"),
        ({"0000": 10**5000, "2000": 1}, ValueError, "price of 0000 is not an amount"),
        ({"0000": -1, "2000": 1}, ValueError, "price of 0000 is not an amount"),
        ({"0000": 1, "2000": 1, "4003": 1}, ValueError, "4003 has a price, but its billing is ignored"),
        ({"0000": 1, "2000": 1, "9999": 1}, UnknownCode, "9999"),
    ],
)
def test_a_price_table_is_checked_before_the_first_answer(prices: Any, error: type[Exception], words: str) -> None:
    answers: Iterator[Envelope[Any]] = iter([Envelope.ok([])])
    with pytest.raises(error, match=words):
        check_bill(answers, prices)
    assert len(list(answers)) == 1


def test_a_price_that_changes_meanwhile_counts_from_the_next_bill_on() -> None:
    prices: dict[str, Any] = {"0000": 2, "2000": 1}

    def answers() -> Iterator[Envelope[Any]]:
        prices.clear()
        yield Envelope.ok([])

    assert check_bill(answers(), prices).total.charge == 2


def test_a_bill_counts_envelopes() -> None:
    wrong: Any = 4003
    with pytest.raises(TypeError, match="error_code is a str, not int"):
        check_bill([Envelope.fail(wrong)], PRICES)
    answers: Any = [{"error_code": "0000"}]
    with pytest.raises(TypeError, match="not dict"):
        check_bill(answers, PRICES)


def test_nobody_pays_for_upstream_errors_if_those_are_free() -> None:
    failed = {"error": {"message": "Rate limit reached", "type": "tokens"}}
    answers = [
        Envelope.ok({"text": "x"}),
        Envelope(response=failed, error_code="2000"),
        Envelope(response=[], error_code="2000"),
        Envelope(response=failed, error_code="4003"),
    ]
    charged, spared = check_bill(answers, PRICES), check_bill(answers, PRICES, upstream_errors="free")
    assert charged.total == BillLine(4, Decimal("0.0353"))
    assert spared.total == BillLine(4, Decimal("0.0283"))
    assert spared.by_code["2000"] == BillLine(2, Decimal("0.007"))
    assert spared.by_billing[Billing.CHARGED] == BillLine(2, Decimal("0.0283"))
    assert spared.by_billing[Billing.FREE] == BillLine(1)
    assert spared.by_billing[Billing.IGNORED] == charged.by_billing[Billing.IGNORED] == BillLine(1)
    assert sum(line.calls for line in spared.by_billing.values()) == 4


def test_bills_and_verdicts_agree_on_who_pays() -> None:
    for rule in get_args(UpstreamErrors):
        for answer in log(500):
            responses: list[Any] = [answer.response, {"error": "x"}, []]
            for response in responses:
                one = replace(answer, response=response)
                billing = judge(one, upstream_errors=rule).billing
                assert billing is who_pays(one.error_code, response, upstream_errors=rule)
                bill = check_bill([one], PRICES, upstream_errors=rule)
                assert bill.by_billing[billing].calls == 1
                assert (bill.total.charge > 0) is (billing is Billing.CHARGED)
