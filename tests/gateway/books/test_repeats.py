"""Idempotency keys, and the cache: who gets an answer again, for how long, and what it costs."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from envelope.gateway.books import Admitted, Refused, Repeated, Served, cached_answer, forget, serve_cached, settle
from envelope.gateway.stores import Store
from tests.gateway.kinds import Clock, Kind
from tests.gateway.ledger import (
    admission,
    admitted,
    breaches,
    entry,
    failure,
    figures,
    new_account,
    settled,
    tried,
    used,
)

DAY = 86_400
KEY: dict[str, Any] = {"idempotency_key": "order 7", "digest": b"arguments"}


def answers(store: Store) -> int:
    return int(store.read_now(lambda db: db.execute("SELECT count(*) FROM answer"))[0][0])


def served(store: Store, account: int, key: str = "k", **more: Any) -> Any:
    return store.write_now(lambda db: serve_cached(db, admission(account, **more), "shared", key))


def test_a_repeat_gets_the_answer_and_costs_nothing(store: Store) -> None:
    account = new_account(store)
    call = admitted(store, account, **KEY)
    assert tried(store, account, **KEY) == Refused("4008", retry_after=1)
    settled(store, call, answer=b"the answer", prompt_tokens=3)
    before = figures(store)
    again = tried(store, account, **KEY)
    assert isinstance(again, Repeated)
    assert (again.answer.value, again.answer.call, again.answer.code, again.answer.prompt_tokens) == (
        b"the answer",
        call,
        "0000",
        3,
    )
    assert b"the answer" not in repr(again).encode()
    assert figures(store) == before == (940, 0)
    assert used(store) == 1
    assert breaches(store) == []


def test_other_arguments_under_the_same_key(store: Store) -> None:
    account = new_account(store)
    call = admitted(store, account, **KEY)
    other = {**KEY, "digest": b"others"}
    assert tried(store, account, **other) == Refused("4003")
    settled(store, call, answer=b"x")
    assert tried(store, account, **other) == Refused("4003")


def test_a_key_is_its_accounts(store: Store) -> None:
    alice, bob = new_account(store, "alice"), new_account(store, "bob")
    settled(store, admitted(store, alice, **KEY), answer=b"for alice")
    assert admitted(store, bob, **KEY)


@pytest.mark.parametrize(
    "how", [{"ok": False, "answer": b"x", "code": "2000", "billing": "free", "charge": 0}, {"answer": None}]
)
def test_what_is_not_kept_frees_the_key(store: Store, how: dict[str, Any]) -> None:
    account = new_account(store)
    settled(store, **{"call": admitted(store, account, **KEY), **how})
    assert admitted(store, account, **KEY)
    assert answers(store) == 0


def test_a_key_is_remembered_for_a_day(store: Store, clock: Clock) -> None:
    account = new_account(store)
    settled(store, admitted(store, account, **KEY), answer=b"x")
    clock.step(DAY - 1)
    assert isinstance(tried(store, account, **KEY), Repeated)
    clock.step(1)
    assert admitted(store, account, **{**KEY, "digest": b"others"})
    assert answers(store) == 0
    assert breaches(store) == []


def test_a_call_that_is_still_open_keeps_its_key(store: Store, clock: Clock) -> None:
    account = new_account(store)
    admitted(store, account, **KEY)
    clock.step(2 * DAY)
    assert store.write_now(forget) == 0
    assert tried(store, account, **KEY) == Refused("4008", retry_after=1)


def test_an_answer_is_kept_only_for_somebody(store: Store) -> None:
    account = new_account(store)
    settled(store, admitted(store, account), answer=b"x")
    assert answers(store) == 0
    settled(store, admitted(store, account, **KEY), answer=b"x", cache=entry())
    assert answers(store) == 1


def test_the_cache_serves_for_its_time(store: Store, clock: Clock) -> None:
    account = new_account(store)
    settled(store, admitted(store, account), answer=b"x", cache=entry(seconds=60))
    clock.step(59)
    found = store.read_now(lambda db: cached_answer(db, "shared", "k"))
    assert found is not None
    assert found.value == b"x"
    assert store.read_now(lambda db: cached_answer(db, "other", "k")) is None
    clock.step(1)
    assert store.read_now(lambda db: cached_answer(db, "shared", "k")) is None
    assert served(store, account) is None


def test_a_newer_answer_takes_the_place(store: Store) -> None:
    account = new_account(store)
    for value in (b"old", b"new"):
        settled(store, admitted(store, account), answer=value, cache=entry())
    found = store.read_now(lambda db: cached_answer(db, "shared", "k"))
    assert found is not None
    assert (found.value, answers(store)) == (b"new", 1)
    assert breaches(store) == []


def test_a_failure_is_not_cached(store: Store) -> None:
    call = admitted(store, new_account(store))
    store.write_now(lambda db: settle(db, failure(call, answer=b"x", cache=entry())))
    assert store.read_now(lambda db: cached_answer(db, "shared", "k")) is None


def test_a_cached_call_is_recorded_and_charged_its_price(store: Store) -> None:
    alice, bob = new_account(store, "alice"), new_account(store, "bob", balance=25)
    settled(store, admitted(store, alice), answer=b"x", cache=entry(), prompt_tokens=3)
    once = served(store, bob, hold=10, **KEY)
    assert isinstance(once, Served)
    assert (once.answer.value, once.charge, once.balance) == (b"x", 10, 15)
    assert figures(store, "bob") == (15, 0)
    again = served(store, bob, hold=10, **KEY)
    assert isinstance(again, Repeated)
    assert again.answer == once.answer
    assert served(store, bob, hold=16) == Refused("4016")
    free = served(store, bob, hold=0)
    assert (free.charge, free.balance) == (0, 15)
    rows = store.read_now(
        lambda db: db.execute("SELECT state, code, charge, prompt_tokens FROM call WHERE is_cached ORDER BY id")
    )
    assert rows == [("settled", "0000", 10, 3), ("settled", "0000", 0, 3)]
    assert breaches(store) == []


@pytest.mark.parametrize("whose", ["the same account's", "another account's"])
def test_an_answer_is_replaced_while_calls_are_served_it(store: Store, kind: Kind, clock: Clock, whose: str) -> None:
    """It stays as long as a key of theirs refers to it."""
    asking = serving = new_account(store, balance=100_000)
    if whose == "another account's":
        serving = new_account(store, "bob", balance=100_000)
    settled(store, admitted(store, asking), answer=b"x", cache=entry())

    def replace(opened: Store) -> None:
        for _ in range(60):
            call = admitted(opened, asking)
            assert settled(opened, call, answer=b"x", cache=entry()) is not None

    def serve(opened: Store, number: int) -> None:
        for count in range(60):
            keys = {**KEY, "idempotency_key": f"{number} {count}"}
            first = served(opened, serving, hold=1, **keys)
            assert isinstance(first, Served)
            again = served(opened, serving, hold=1, **keys)
            assert isinstance(again, Repeated)
            assert (again.call, again.answer.value) == (first.call, b"x")

    with kind.open(clock) as other, ThreadPoolExecutor(6) as threads:
        work = [threads.submit(replace, opened) for opened in (store, other)]
        work += [threads.submit(serve, (store, other)[number % 2], number) for number in range(4)]
        for one in work:
            one.result(60)
    assert breaches(store) == []


def test_answers_are_stored_while_others_are_forgotten(store: Store, kind: Kind, clock: Clock) -> None:
    account = new_account(store, balance=100_000)
    ends = threading.Event()

    def settle_all(opened: Store) -> None:
        for _ in range(100):
            call = admitted(opened, account)
            assert settled(opened, call, answer=b"x", cache=entry(seconds=0)) is not None

    def forget_all(opened: Store) -> None:
        while not ends.is_set():
            opened.write_now(forget)

    with kind.open(clock) as other, ThreadPoolExecutor(6) as threads:
        forgetting = [threads.submit(forget_all, opened) for opened in (store, other)]
        try:
            for one in [threads.submit(settle_all, opened) for opened in (store, other) * 2]:
                one.result(60)
        finally:
            ends.set()
        for one in forgetting:
            one.result(60)
    assert store.write_now(forget) in (0, 1)
    assert answers(store) == 0
    assert breaches(store) == []


def test_a_key_is_forgotten_while_a_repeat_asks_for_its_answer(store: Store, kind: Kind, clock: Clock) -> None:
    """It gets that answer, or is a call of its own: to a process whose transaction began later, the day is over."""
    account = new_account(store, balance=100_000)
    later = Clock()
    later.now = clock.now + DAY * 1_000_000
    ends = threading.Event()

    def forget_all(opened: Store) -> None:
        while not ends.is_set():
            opened.write_now(forget)

    with kind.open(later) as other, ThreadPoolExecutor(2) as threads:
        forgetting = threads.submit(forget_all, other)
        try:
            for number in range(100):
                keys = {**KEY, "idempotency_key": str(number)}
                settled(store, admitted(store, account, **keys), answer=b"x")
                again = tried(store, account, **keys)
                assert isinstance(again, Repeated | Admitted)
        finally:
            ends.set()
        forgetting.result(60)
    assert breaches(store) == []


def test_a_cached_call_meets_the_same_conditions(store: Store) -> None:
    alice, bob = new_account(store, "alice"), new_account(store, "bob", quota=0)
    settled(store, admitted(store, alice), answer=b"x", cache=entry())
    assert served(store, bob) == Refused("4013")
    assert served(store, alice, api_name="other") == Refused("4012")


def test_what_is_over_is_forgotten(store: Store, clock: Clock) -> None:
    account = new_account(store, balance=10_000)
    for number in range(5):
        keys = {**KEY, "idempotency_key": f"{number}"}
        settled(store, admitted(store, account, **keys), answer=b"x", cache=entry(f"{number}"))
    assert store.write_now(forget) == 0
    clock.step(60)
    assert [store.write_now(lambda db: forget(db, 3)) for _ in range(3)] == [3, 2, 0]
    assert answers(store) == 5
    clock.step(DAY)
    assert store.write_now(forget) == 5
    assert answers(store) == 0
    assert breaches(store) == []
