"""Short ways to open accounts, admit calls and settle them."""

from __future__ import annotations

from itertools import count
from typing import Any

from envelope.gateway.books import (
    Account,
    Admission,
    Admitted,
    Breach,
    CacheEntry,
    Settled,
    Settlement,
    account_named,
    admit,
    audit,
    create_account,
    deposit,
    grant,
    settle,
)
from envelope.gateway.stores import Store
from envelope.registry import REGISTRY

API = "custom"
_NUMBERS = count(1)


def new_account(
    store: Store, name: str = "alice", *, balance: int = 1000, quota: int | None = None, concurrency: int | None = None
) -> int:
    def steps(db: Any) -> int:
        number = create_account(db, name=name, key=f"key of {name}", secret="sealed", concurrency=concurrency)
        grant(db, number, API, quota=quota)
        if balance:
            deposit(db, number, balance)
        return number

    return store.write_now(steps)


def admission(account: int, *, hold: int = 100, seconds: float = 30, node: str = "n", **more: Any) -> Admission:
    fields: dict[str, Any] = {
        "api_type": "openai",
        "api_name": API,
        "method": "v1/models",
        "model": "m",
        "request_id": f"r{next(_NUMBERS)}",
    }
    return Admission(account=account, hold=hold, seconds=seconds, node=node, **{**fields, **more})


def admitted(store: Store, account: int, **more: Any) -> int:
    """The number of a call that is let in."""
    outcome = store.write_now(lambda db: admit(db, admission(account, **more)))
    assert isinstance(outcome, Admitted), outcome
    return outcome.call


def tried(store: Store, account: int, **more: Any) -> Any:
    return store.write_now(lambda db: admit(db, admission(account, **more)))


def settlement(call: int, charge: int = 60, **more: Any) -> Settlement:
    return Settlement(**{"call": call, "code": "0000", "ok": True, "billing": "charged", "charge": charge, **more})


def failure(call: int, **more: Any) -> Settlement:
    return settlement(call, **{"charge": 0, "code": "4001", "ok": False, "billing": "free", **more})


def settled(store: Store, call: int, charge: int = 60, **more: Any) -> Settled | None:
    return store.write_now(lambda db: settle(db, settlement(call, charge, **more)))


def entry(key: str = "k", seconds: float = 60, scope: str = "shared") -> CacheEntry:
    return CacheEntry(scope, key, seconds)


def figures(store: Store, name: str = "alice") -> tuple[int, int]:
    """The account's balance, and what of it is held."""
    account = account_of(store, name)
    return account.balance, account.held


def account_of(store: Store, name: str = "alice") -> Account:
    found = store.read_now(lambda db: account_named(db, name))
    assert found is not None
    return found


def used(store: Store, name: str = "alice") -> int:
    return account_of(store, name).grants[API].used


def breaches(store: Store) -> list[Breach]:
    return store.read_now(lambda db: audit(db, REGISTRY))
