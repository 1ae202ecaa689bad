"""Who is let in, and what those who are not are told: the first thing that speaks against it."""

from __future__ import annotations

from typing import Any

import pytest

from envelope.gateway.books import Refused, change_account, create_account, deposit, grant, switch_api
from envelope.gateway.stores import Conflict, Store
from tests.gateway.ledger import (
    API,
    account_of,
    admitted,
    breaches,
    failure,
    figures,
    new_account,
    settled,
    tried,
    used,
)

# Each speaks against a call; the code of the first that does is told.
OBSTACLES: list[tuple[str, Any]] = [
    ("4007", lambda db, account: change_account(db, account, state="stopped")),
    ("4009", lambda db, account: switch_api(db, API, "maintenance")),
    ("4006", lambda db, account: grant(db, account, API, state="stopped", quota=None)),
    ("4013", lambda db, account: grant(db, account, API, quota=0)),
    ("4008", lambda db, account: change_account(db, account, concurrency=0)),
]


@pytest.mark.parametrize("first", range(len(OBSTACLES) + 1))
def test_the_first_obstacle_is_told(store: Store, first: int) -> None:
    account = new_account(store, balance=50)

    def obstruct(db: Any) -> None:
        for code, obstacle in reversed(OBSTACLES[first:]):
            if code != "4013" or first == 3:  # which a stopped grant would undo
                obstacle(db, account)

    store.write_now(obstruct)
    expected = [code for code, _ in OBSTACLES[first:]] or ["4016"]
    assert tried(store, account, hold=51) == Refused(expected[0], retry_after=int(expected[0] == "4008"))
    assert figures(store) == (50, 0)
    assert breaches(store) == []


def test_an_account_or_a_grant_that_is_not_there(store: Store) -> None:
    assert tried(store, 7) == Refused("4004")
    account = new_account(store)
    assert tried(store, account, api_name="other") == Refused("4012")
    store.write_now(lambda db: switch_api(db, "other", "maintenance"))
    assert tried(store, account, api_name="other") == Refused("4009")
    store.write_now(lambda db: switch_api(db, "other", "active"))
    assert tried(store, account, api_name="other") == Refused("4012")


def test_what_it_can_cost_is_held(store: Store) -> None:
    account = new_account(store, balance=250)
    first, second = admitted(store, account), admitted(store, account)
    assert second > first
    assert figures(store) == (250, 200)
    assert tried(store, account) == Refused("4016")
    assert admitted(store, account, hold=50)
    assert admitted(store, account, hold=0)
    assert tried(store, account, hold=1) == Refused("4016")
    assert tried(store, account, hold=10**30) == Refused("4016")
    settled(store, first, 30)
    assert figures(store) == (220, 150)
    assert breaches(store) == []


def test_calls_at_once(store: Store) -> None:
    account = new_account(store, concurrency=2)
    first, _ = admitted(store, account), admitted(store, account)
    assert tried(store, account) == Refused("4008", retry_after=1)
    settled(store, first)
    assert admitted(store, account)
    assert tried(store, account) == Refused("4008", retry_after=1)


def test_the_quota_counts_what_is_open_or_charged(store: Store) -> None:
    account = new_account(store, quota=2)
    first, second = admitted(store, account), admitted(store, account)
    assert tried(store, account) == Refused("4013")
    settled(store, first)
    assert (used(store), tried(store, account)) == (2, Refused("4013"))
    settled(store, **vars_of(failure(second)))
    assert used(store) == 1
    assert admitted(store, account)
    store.write_now(lambda db: grant(db, account, API, quota=3))
    assert admitted(store, account)
    assert (used(store), tried(store, account)) == (3, Refused("4013"))
    assert breaches(store) == []


def vars_of(settlement: Any) -> dict[str, Any]:
    return {name: getattr(settlement, name) for name in settlement.__slots__}


def test_a_request_id_is_recorded_once(store: Store) -> None:
    account = new_account(store)
    admitted(store, account, request_id="1.6403f86cd67f6")
    with pytest.raises(Conflict, match="request_id"):
        tried(store, account, request_id="1.6403f86cd67f6")
    assert figures(store) == (1000, 100)
    assert breaches(store) == []


@pytest.mark.parametrize("wrong", [{"hold": -1}, {"seconds": -1}])
def test_a_negative_hold_or_time_is_a_mistake(store: Store, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="negative"):
        tried(store, new_account(store), **wrong)


def test_accounts_do_not_see_each_other(store: Store) -> None:
    alice, bob = new_account(store, "alice", concurrency=1), new_account(store, "bob", concurrency=1)
    admitted(store, alice, hold=1000)
    admitted(store, bob, hold=1000)
    assert (figures(store, "alice"), figures(store, "bob")) == ((1000, 1000), (1000, 1000))


def test_an_account_without_anything(store: Store) -> None:
    account = store.write_now(lambda db: create_account(db, name="new", key="k", secret="s"))
    store.write_now(lambda db: grant(db, account, API, quota=None))
    assert tried(store, account, hold=1) == Refused("4016")
    store.write_now(lambda db: deposit(db, account, 1))
    assert admitted(store, account, hold=1)
    assert account_of(store, "new").held == 1
