"""A call ends once: what it costs, what is released, and what is recorded."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.gateway.books import Settled, Settlement, find_calls, refund, renew, settle
from envelope.gateway.books.calls import CallRecord
from envelope.gateway.money import MAX_AMOUNT
from envelope.gateway.stores import Store
from tests.gateway.kinds import START, Clock
from tests.gateway.ledger import admitted, breaches, failure, figures, new_account, settled, settlement


def record_of(store: Store, call: int) -> CallRecord:
    [record] = [each for each in store.read_now(lambda db: find_calls(db)) if each.id == call]
    return record


@pytest.mark.parametrize(("charge", "charged"), [(0, 0), (1, 1), (99, 99), (100, 100), (101, 100), (10**30, 100)])
def test_the_charge_is_never_above_the_hold(store: Store, charge: int, charged: int) -> None:
    call = admitted(store, new_account(store), hold=100)
    assert settled(store, call, charge) == Settled(charged, 1000 - charged)
    assert figures(store) == (1000 - charged, 0)
    assert breaches(store) == []


def test_what_an_upstream_counts_is_bounded(store: Store) -> None:
    call = admitted(store, new_account(store), model="\ud800\0模型", method="\udfff")
    settled(store, call, prompt_tokens=10**30, completion_tokens=-5)
    record = record_of(store, call)
    assert (record.prompt_tokens, record.completion_tokens) == (MAX_AMOUNT, 0)
    assert (record.model, record.method) == (r"\ud800\x00模型", r"\udfff")


def test_a_call_ends_once(store: Store) -> None:
    call = admitted(store, new_account(store))
    assert settled(store, call) == Settled(60, 940)
    assert settled(store, call, 70) is None
    assert store.write_now(lambda db: settle(db, failure(call))) is None
    assert settled(store, 999) is None
    assert figures(store) == (940, 0)
    assert breaches(store) == []


def test_it_is_the_call_that_it_was(store: Store) -> None:
    """A database that lost what had not reached its disk gives a number again."""
    call = admitted(store, new_account(store), request_id="another's")
    assert settled(store, call, request_id="ours") is None
    assert figures(store) == (1000, 100)
    assert settled(store, call, request_id="another's") is not None


def test_it_ends_once_although_its_transaction_asks_twice(store: Store) -> None:
    call = admitted(store, new_account(store))
    outcomes = store.write_now(lambda db: (settle(db, settlement(call)), settle(db, settlement(call))))
    assert outcomes == (Settled(60, 940), None)


def test_its_record(store: Store, clock: Clock) -> None:
    account = new_account(store)
    call = admitted(
        store, account, request_id="r", method="v1/chat/completions", model="gpt", lang="ru", result_type="xml"
    )
    opened = record_of(store, call)
    assert (opened.state, opened.code, opened.verdict_ok, opened.billing, opened.ended) == (
        "open",
        None,
        None,
        None,
        None,
    )
    clock.step(1.25)
    settled(store, call, 7, prompt_tokens=16, completion_tokens=43, attempts=2, upstream="main")
    assert record_of(store, call) == CallRecord(
        id=call, request_id="r", account="alice", api_type="openai", api_name="custom", method="v1/chat/completions", model="gpt",
        state="settled", code="0000", verdict_ok=True, billing="charged", hold=100, charge=7, refunded=0, prompt_tokens=16,
        completion_tokens=43, attempts=2, upstream="main", is_cached=False, lang="ru", result_type="xml", opened=START,
        ended=START + 1_250_000,
    )  # fmt: skip


@pytest.mark.parametrize(
    "wrong", [{"charge": -1}, {"charge": 1, "billing": "free"}, {"charge": 1, "billing": "ignored"}]
)
def test_a_settlement_that_contradicts_itself(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"negative|not charged"):
        settlement(1, **wrong)


def test_no_answer_is_shown_of_a_settlement() -> None:
    shown = Settlement(call=1, code="0000", ok=True, billing="charged", charge=1, answer=b"private")
    assert "private" not in repr(shown)


def test_a_refund_is_given_once(store: Store) -> None:
    account = new_account(store)
    call, free, still_open = admitted(store, account), admitted(store, account), admitted(store, account)
    settled(store, call)
    store.write_now(lambda db: settle(db, failure(free)))
    assert store.write_now(lambda db: refund(db, call, "sorry")) == 60
    assert store.write_now(lambda db: refund(db, call, "sorry")) is None
    assert store.write_now(lambda db: [refund(db, other) for other in (free, still_open, 999)]) == [None] * 3
    assert figures(store) == (1000, 100)
    assert (record_of(store, call).charge, record_of(store, call).refunded) == (60, 60)
    assert breaches(store) == []


def test_an_open_call_is_renewed(store: Store, clock: Clock) -> None:
    call = admitted(store, new_account(store), seconds=30)
    clock.step(20)
    assert store.write_now(lambda db: renew(db, call, 45))
    rows = store.read_now(lambda db: db.execute("SELECT lease, deadline FROM call"))
    assert rows == [(45_000_000, START + 65_000_000)]
    settled(store, call)
    assert not store.write_now(lambda db: renew(db, call, 45))


@given(hold=st.integers(0, 10**12), charge=st.integers(0, 2**62), digits=st.integers(0, 3))
def test_no_unit_is_lost(hold: int, charge: int, digits: int) -> None:
    from tests.gateway.books.test_machine import fresh_store

    with fresh_store() as (store, _):
        account = new_account(store, balance=10**12)
        call = admitted(store, account, hold=hold)
        outcome = settled(store, call, charge)
        assert outcome is not None
        assert outcome.charge == min(hold, charge)
        assert figures(store) == (10**12 - outcome.charge, 0)
