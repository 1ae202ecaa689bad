"""Accounts, grants, deposits, switches."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from envelope.gateway.books import (
    Account,
    BooksError,
    Grant,
    account_named,
    account_of,
    api_states,
    change_account,
    create_account,
    deposit,
    find_calls,
    grant,
    list_accounts,
    refund,
    switch_api,
)
from envelope.gateway.money import MAX_AMOUNT
from envelope.gateway.stores import Conflict, Store, Transaction
from tests.gateway.kinds import START, Kind
from tests.gateway.ledger import admitted, breaches, figures, new_account, settled


def test_an_account_by_its_key_and_by_its_name(store: Store) -> None:
    number = store.write_now(lambda db: create_account(db, name="alice", key="k", secret="sealed", concurrency=3))
    store.write_now(lambda db: grant(db, number, "custom", quota=7))
    store.write_now(lambda db: grant(db, number, "other", quota=None, state="stopped"))
    found = store.read_now(lambda db: account_of(db, "k"))
    grants = {"custom": Grant("active", 7, 0), "other": Grant("stopped", None, 0)}
    assert found == Account(number, "alice", "k", "sealed", "active", 0, 0, 3, False, START, grants)
    assert store.read_now(lambda db: account_named(db, "alice")) == found
    assert store.read_now(lambda db: account_of(db, "alice")) is None
    assert store.read_now(list_accounts) == [found]
    assert "sealed" not in repr(found)


def test_a_name_or_a_key_is_given_once(store: Store) -> None:
    new_account(store)
    with pytest.raises(Conflict):
        store.write_now(lambda db: create_account(db, name="alice", key="other", secret="s"))
    with pytest.raises(Conflict):
        store.write_now(lambda db: create_account(db, name="other", key="key of alice", secret="s"))
    assert len(store.read_now(list_accounts)) == 1


def test_only_what_is_given_changes(store: Store) -> None:
    number = new_account(store, concurrency=5)
    store.write_now(lambda db: change_account(db, number, state="stopped"))
    store.write_now(lambda db: change_account(db, number, strict_signature=True, secret="other"))
    [found] = store.read_now(list_accounts)
    assert (found.state, found.concurrency, found.strict_signature, found.secret) == ("stopped", 5, True, "other")
    store.write_now(
        lambda db: change_account(db, number, concurrency="unlimited", state="active", strict_signature=False)
    )
    [found] = store.read_now(list_accounts)
    assert (found.state, found.concurrency, found.strict_signature) == ("active", None, False)
    store.write_now(lambda db: change_account(db, number))
    with pytest.raises(BooksError, match="no such account"):
        store.write_now(lambda db: change_account(db, 99, state="active"))


def test_a_deposit(store: Store) -> None:
    number = new_account(store, balance=0)
    assert store.write_now(lambda db: deposit(db, number, 5, "first")) == 5
    assert store.write_now(lambda db: deposit(db, number, MAX_AMOUNT - 5)) == MAX_AMOUNT
    with pytest.raises(BooksError, match="above 9000000000"):
        store.write_now(lambda db: deposit(db, number, 1))
    with pytest.raises(BooksError, match="no such account"):
        store.write_now(lambda db: deposit(db, 99, 1))
    assert figures(store) == (MAX_AMOUNT, 0)
    assert breaches(store) == []


def test_a_deposit_with_a_reference_is_entered_once(store: Store) -> None:
    alice, bob = new_account(store, "alice", balance=0), new_account(store, "bob", balance=0)
    for _ in range(3):
        assert store.write_now(lambda db: deposit(db, alice, 5, "cash", "invoice 1")) == 5
    assert store.write_now(lambda db: deposit(db, alice, 5, "cash", "invoice 2")) == 10
    assert store.write_now(lambda db: deposit(db, alice, 5)) == store.write_now(lambda db: deposit(db, alice, 5)) - 5
    assert store.write_now(lambda db: deposit(db, alice, 5, reference="invoice 1")) == 20  # what it is by now
    assert store.write_now(lambda db: deposit(db, bob, 7, reference="invoice 1")) == 7
    with pytest.raises(BooksError, match=r"entered before, with 0\.000005"):
        store.write_now(lambda db: deposit(db, alice, 6, reference="invoice 1"))
    with pytest.raises(BooksError, match="no such account"):
        store.write_now(lambda db: deposit(db, 99, 6, reference="invoice 1"))
    assert (figures(store), figures(store, "bob")) == ((20, 0), (7, 0))
    assert breaches(store) == []


def test_of_many_deposits_with_a_reference_at_once_one_is_entered(store: Store, kind: Kind) -> None:
    number = new_account(store, balance=0)
    with kind.open() as other, ThreadPoolExecutor(8) as threads:
        for name in map(str, range(10)):
            steps = [lambda store, n=name: store.write_now(lambda db: deposit(db, number, 5, reference=n))] * 8
            [balance] = {*threads.map(lambda step, store: step(store), steps, [store, other] * 4)}
            assert balance == figures(store)[0] == 5 * (int(name) + 1)


NO_NAMES = ["", "a\0", "\0", "\ud800", "a" * 256]


@pytest.mark.parametrize("name", NO_NAMES, ids=ascii)
def test_what_cannot_be_a_name(store: Store, name: str) -> None:
    """A database refuses some texts: nothing has such a name, and none is looked for."""
    number = new_account(store)
    made: list[Callable[[Transaction], object]] = [
        lambda db: create_account(db, name=name, key="k", secret="s"),
        lambda db: create_account(db, name="n", key=name, secret="s"),
        lambda db: grant(db, number, name, quota=None),
        lambda db: switch_api(db, name, "active"),
    ]
    if name:
        made.append(lambda db: deposit(db, number, 1, reference=name))
    for steps in made:
        with pytest.raises(BooksError, match="1 to 255 characters"):
            store.write_now(steps)
    for literal in (r"a\x00", r"\x00", r"\ud800"):  # as what is stored of such texts elsewhere
        store.write_now(lambda db, literal=literal: create_account(db, name=literal, key=literal, secret="s"))  # type: ignore[misc]
    assert store.read_now(lambda db: [account_of(db, name), account_named(db, name)]) == [None, None]
    for found in ({"account": name}, {"method": name}, {"code": name}):
        assert store.read_now(lambda db, found=found: find_calls(db, **found)) == []  # type: ignore[misc]


def test_notes_are_kept_as_far_as_a_database_takes_them(store: Store) -> None:
    number = new_account(store, balance=0)
    store.write_now(lambda db: deposit(db, number, 500, "a\0b\ud800ж"))
    call = admitted(store, number)
    settled(store, call)
    store.write_now(lambda db: refund(db, call, "\0"))
    notes = store.read_now(lambda db: db.execute("SELECT note FROM entry ORDER BY id"))
    assert notes == [(r"a\x00b\ud800ж",), ("",), (r"\x00",)]


@pytest.mark.parametrize("amount", [0, -1, MAX_AMOUNT + 1])
def test_what_is_no_deposit(store: Store, amount: int) -> None:
    number = new_account(store)
    with pytest.raises(ValueError, match="more than nothing"):
        store.write_now(lambda db: deposit(db, number, amount))


def test_switches(store: Store) -> None:
    assert store.read_now(api_states) == {}
    store.write_now(lambda db: switch_api(db, "custom", "maintenance"))
    assert store.read_now(api_states) == {"custom": "maintenance"}
    store.write_now(lambda db: switch_api(db, "custom", "active"))
    assert store.read_now(api_states) == {"custom": "active"}
