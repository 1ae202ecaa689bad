"""Accounts, grants, deposits, switches."""

from __future__ import annotations

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
    grant,
    list_accounts,
    switch_api,
)
from envelope.gateway.money import MAX_AMOUNT
from envelope.gateway.stores import Conflict, Store
from tests.gateway.kinds import START
from tests.gateway.ledger import breaches, figures, new_account


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
