"""Nonces: new once to each account, whoever asks, and only for a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from envelope.gateway.books import forget, remember_nonce
from envelope.gateway.stores import Store
from tests.gateway.kinds import Clock, Kind
from tests.gateway.ledger import breaches, new_account

MINUTE = 60


def is_new(store: Store, account: int, nonce: str = "0123456789abcdef") -> bool:
    return store.write_now(lambda db: remember_nonce(db, account, nonce))


def kept(store: Store) -> int:
    return int(store.read_now(lambda db: db.execute("SELECT count(*) FROM nonce"))[0][0])


def test_a_nonce_is_new_once_to_each_account(store: Store, kind: Kind) -> None:
    alice, bob = new_account(store, "alice"), new_account(store, "bob")
    with kind.open() as other:
        assert [is_new(store, alice), is_new(other, alice), is_new(store, alice)] == [True, False, False]
        assert [is_new(other, bob), is_new(store, bob)] == [True, False]
    assert is_new(store, alice, "0123456789ABCDEF")
    assert breaches(store) == []


def test_of_many_at_once_one_is_new(store: Store, kind: Kind) -> None:
    alice = new_account(store)
    with kind.open() as other, ThreadPoolExecutor(8) as threads:
        for number in range(20):
            found = list(threads.map(lambda store, n=number: is_new(store, alice, f"{n:016}"), [store, other] * 8))
            assert sum(found) == 1


def test_it_is_forgotten_after_its_time(store: Store, clock: Clock) -> None:
    alice = new_account(store)
    for number in range(5):
        assert is_new(store, alice, f"{number:016}")
        clock.step(MINUTE)
    clock.step(10 * MINUTE - 0.1)
    assert store.write_now(forget) == 0
    for _ in range(3):
        clock.step(MINUTE)
        assert [store.write_now(forget), store.write_now(forget)] == [1, 0]
    clock.step(-3600)  # a clock that is set back keeps them longer
    assert store.write_now(forget) == 0
    clock.step(2 * 3600)
    assert [store.write_now(lambda db: forget(db, 1)) for _ in range(3)] == [1, 1, 0]
    assert kept(store) == 0
