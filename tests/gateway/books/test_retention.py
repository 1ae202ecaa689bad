"""Calls that are not kept any more: what refers to them keeps them, and all figures stay right without them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from envelope.gateway.books import (
    Refused,
    Settlement,
    add_job,
    find_calls,
    finish_job,
    forget,
    grant,
    refund,
    remove_calls,
    settle,
    take_job,
)
from envelope.gateway.stores import Store
from tests.gateway.kinds import Clock, Kind
from tests.gateway.ledger import API, admitted, breaches, entry, failure, figures, new_account, settled, tried, used

DAY = 86_400.0


def removed(store: Store, days: float, most: int = 200) -> list[int]:
    """The calls that go because they ended *days* ago."""
    before = calls(store)
    after: int | None = 0
    while after is not None:
        after = store.write_now(
            lambda db, after=after: remove_calls(db, db.now - round(days * DAY * 1_000_000), after, most)  # type: ignore[misc]
        )
    assert breaches(store) == []
    return sorted({*before} - {*calls(store)})


def calls(store: Store) -> list[int]:
    return [call.id for call in store.read_now(lambda db: find_calls(db, limit=10_000))]


def carried(store: Store) -> list[Any]:
    return store.read_now(
        lambda db: db.execute("SELECT account, calls, charges, refunds FROM carried ORDER BY account")
    )


@pytest.mark.parametrize("most", [1, 2, 200])
def test_old_calls_go_and_their_sums_are_carried_on(store: Store, clock: Clock, most: int) -> None:
    alice, bob = new_account(store, "alice"), new_account(store, "bob", quota=2)
    charged, free, given_back, nothing = (admitted(store, alice) for _ in range(4))
    settled(store, charged)
    store.write_now(lambda db: settle(db, failure(free)))
    settled(store, given_back, 50)
    store.write_now(lambda db: refund(db, given_back))
    settled(store, nothing, 0)
    other = admitted(store, bob)
    settled(store, other, 7)
    told = figures(store), figures(store, "bob"), used(store), used(store, "bob")
    clock.step(DAY)
    late = admitted(store, bob)
    settled(store, late, 8)
    assert removed(store, 1, most) == []
    clock.step(0.000001)
    assert removed(store, 1, most) == [charged, free, given_back, nothing, other]
    assert carried(store) == [(alice, 3, 110, 50), (bob, 1, 7, 0)]
    assert (figures(store), figures(store, "bob"), used(store), used(store, "bob")) == (*told[:1], (985, 0), 3, 2)
    assert tried(store, bob) == Refused("4013")  # a quota is of all calls ever made
    assert store.write_now(lambda db: refund(db, charged)) is None
    assert settled(store, charged) is None
    clock.step(DAY)
    assert removed(store, 1, most) == [late]
    assert carried(store) == [(alice, 3, 110, 50), (bob, 2, 15, 0)]
    store.write_now(lambda db: grant(db, bob, API, quota=3))
    assert admitted(store, bob) > late  # no number is given twice


def test_what_something_refers_to_stays_until_that_goes(store: Store, clock: Clock) -> None:
    account = new_account(store)
    opened = admitted(store, account)
    repeat = admitted(store, account, idempotency_key="k")
    settled(store, repeat, answer=b"x")
    cached = admitted(store, account)
    settled(store, cached, answer=b"x", cache=entry(seconds=10 * DAY))
    submitted = admitted(store, account)
    settled(store, submitted)
    store.write_now(lambda db: add_job(db, account=account, call=submitted, method="m", args=b""))
    plain = admitted(store, account)
    settled(store, plain)
    clock.step(3 * DAY)
    assert removed(store, 2) == [plain]
    assert store.write_now(forget) == 1
    assert removed(store, 2) == [repeat]
    job = store.write_now(lambda db: take_job(db, "n", 60))
    assert job is not None
    assert removed(store, 2) == []
    store.write_now(lambda db: finish_job(db, job, "failed", b"r"))
    assert store.write_now(lambda db: refund(db, submitted)) == 60
    clock.step(DAY)
    assert store.write_now(forget) == 1
    assert removed(store, 2) == [submitted]
    clock.step(6 * DAY)
    assert store.write_now(forget) == 1
    assert removed(store, 2) == [cached]
    assert settled(store, opened) is not None
    assert removed(store, 2) == []  # it ended now
    clock.step(2 * DAY + 1)
    assert removed(store, 2) == [opened]
    assert carried(store) == [(account, 5, 300, 60)]
    assert figures(store) == (760, 0)


def test_beside_calls_refunds_and_others_that_remove(store: Store, kind: Kind) -> None:
    """Whatever comes first, what is given back is on the books, and each call is carried on once."""
    account = new_account(store, balance=100_000)
    done: list[int] = []
    ends = threading.Event()

    def call(opened: Store) -> None:
        for _ in range(60):
            number = admitted(opened, account)
            opened.write_now(
                lambda db, n=number: settle(db, Settlement(call=n, code="0000", ok=True, billing="charged", charge=60))  # type: ignore[misc]
            )
            done.append(number)

    def give_back(opened: Store) -> int:
        given = 0
        while not ends.is_set():
            for number in done[-5:]:
                given += opened.write_now(lambda db, n=number: refund(db, n)) or 0  # type: ignore[misc]
        return given

    def remove(opened: Store) -> None:
        while not ends.is_set():
            opened.write_now(lambda db: remove_calls(db, db.now + 1, most=7))

    with kind.open() as other, ThreadPoolExecutor(6) as threads:
        work = [threads.submit(steps, opened) for steps in (give_back, remove) for opened in (store, other)]
        callers = [threads.submit(call, opened) for opened in (store, other)]
        try:
            for caller in callers:
                caller.result(60)
        finally:
            ends.set()
        given = sum(one.result(60) or 0 for one in work)
        removed(store, -1)  # whose clock is ahead
    assert calls(store) == []
    assert carried(store) == [(account, 120, 120 * 60, given)]
    assert figures(store) == (100_000 - 120 * 60 + given, 0)
    assert breaches(store) == []
