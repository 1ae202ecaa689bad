"""The audit: each invariant, broken on purpose past the store's own rules, is named with its row; nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envelope.gateway.books import INVARIANTS, add_job, audit, finish_job, refund, remove_calls, settle, take_job
from envelope.gateway.books.auditing import Breach
from envelope.gateway.stores import Store
from envelope.registry import REGISTRY
from tests.gateway.kinds import Kind
from tests.gateway.ledger import admitted, breaches, entry, failure, new_account, settled

OPEN, CHARGED, FREE, REFUNDED, OLD = 1, 2, 3, 4, 5


@pytest.fixture
def books(store: Store) -> Store:
    """Two accounts, with calls of every kind, a repeat, a cached answer, jobs, and a call that is not kept any more."""
    alice, bob = new_account(store, "alice"), new_account(store, "bob")
    assert admitted(store, alice, idempotency_key="open", digest=b"d") == OPEN
    assert admitted(store, alice, idempotency_key="k", digest=b"d") == CHARGED
    settled(store, CHARGED, answer=b"x", cache=entry("c"))
    assert admitted(store, alice) == FREE
    store.write_now(lambda db: settle(db, failure(FREE)))
    assert admitted(store, alice) == REFUNDED
    settled(store, REFUNDED)
    store.write_now(lambda db: refund(db, REFUNDED))
    for _ in range(3):
        store.write_now(lambda db: add_job(db, account=alice, call=CHARGED, method="m", args=b""))
    job = store.write_now(lambda db: take_job(db, "n", 60))
    assert job is not None
    store.write_now(lambda db: finish_job(db, job, "done", b"r"))
    store.write_now(lambda db: take_job(db, "n", 60))
    settled(store, admitted(store, bob))
    store.write_now(lambda db: refund(db, OLD))
    store.write_now(lambda db: remove_calls(db, before=db.now + 1, after=REFUNDED))
    assert breaches(store) == []
    return store


# What breaks each, and the rows that are then named; the first is the invariant's own.
BROKEN: list[tuple[str, str, list[tuple[str, str, int | str]]]] = [
    ("balance", "UPDATE account SET balance = balance + 1 WHERE id = 2", [("balance", "account", 2)]),
    ("held", "UPDATE account SET held = held - 1 WHERE id = 1", [("held", "account", 1)]),
    (
        "covered",
        "UPDATE account SET held = balance + 1 WHERE id = 1",
        [("covered", "account", 1), ("held", "account", 1)],
    ),
    ("charge-within-hold", "UPDATE call SET hold = charge - 1 WHERE id = 2", [("charge-within-hold", "call", 2)]),
    (
        "one-record",
        "UPDATE call SET request_id = (SELECT request_id FROM call WHERE id = 2) WHERE id = 4",
        [("one-record", "call", 4)],
    ),
    ("charge-entry", "UPDATE call SET charge = charge - 1 WHERE id = 2", [("charge-entry", "call", 2)]),
    (
        "refund-entry",
        "UPDATE entry SET amount = amount - 1 WHERE kind = 'refund'",
        [("refund-entry", "entry", 5), ("balance", "account", 1)],
    ),
    (
        "one-entry",
        "INSERT INTO entry (id, account, call, kind, amount, note, at) SELECT 99, account, call, kind, amount, note, at FROM entry WHERE kind = 'refund'",
        [("one-entry", "entry", 99), ("balance", "account", 1)],
    ),
    (
        "entry-owner",
        "UPDATE entry SET account = 2 WHERE call = 2",
        [("entry-owner", "entry", 3), ("balance", "account", 1), ("balance", "account", 2)],
    ),
    (
        "entry-owner",
        "DELETE FROM call WHERE id = 3; UPDATE entry SET call = 99 WHERE kind = 'refund'",
        [("entry-owner", "entry", 5)],
    ),
    (
        "one-deposit",
        "UPDATE entry SET reference = 'r' WHERE kind = 'deposit'; INSERT INTO entry (id, account, kind, amount, note, at, reference) VALUES (99, 1, 'deposit', 5, '', 0, 'r')",
        [("one-deposit", "entry", 99), ("balance", "account", 1)],
    ),
    ("balance", "UPDATE carried SET refunds = refunds - 1", [("balance", "account", 2)]),
    ("used", "UPDATE carried SET calls = calls - 1", [("used", "grants", "2 custom")]),
    (
        "carried",
        "UPDATE carried SET charges = charges - 1, refunds = refunds - 1, calls = -1",
        [("carried", "carried", "2 custom"), ("used", "grants", "2 custom")],
    ),
    (
        "carried",
        "UPDATE carried SET api_name = 'none'",
        [("carried", "carried", "2 none"), ("used", "grants", "2 custom")],
    ),
    (
        "charge-billing",
        "UPDATE call SET billing = 'free' WHERE id = 2",
        [("charge-billing", "call", 2), ("billing", "call", 2), ("used", "grants", "1 custom")],
    ),
    ("state", "UPDATE call SET ended = 7 WHERE id = 1", [("state", "call", 1)]),
    ("state", "UPDATE call SET ended = NULL WHERE id = 2", [("state", "call", 2)]),
    ("state", "UPDATE call SET code = NULL WHERE id = 2", [("state", "call", 2)]),
    ("state", "UPDATE call SET state = 'closed' WHERE id = 2", [("state", "call", 2)]),
    ("used", "UPDATE grants SET used = used + 1 WHERE account = 2", [("used", "grants", "2 custom")]),
    (
        "answer-used",
        "INSERT INTO answer (call, value, at) SELECT 2, value, 0 FROM answer",
        [("answer-used", "answer", 2)],
    ),
    ("answer-used", "UPDATE answer SET call = 99", [("answer-used", "answer", 1)]),
    ("repeat-call", "UPDATE repeat SET answer = NULL", [("repeat-call", "repeat", "1 k")]),
    ("repeat-call", "UPDATE repeat SET answer = 1", [("repeat-call", "repeat", "1 open")]),
    ("repeat-call", "UPDATE repeat SET account = 2 WHERE key = 'k'", [("repeat-call", "repeat", "2 k")]),
    ("cached-answer", "UPDATE cached SET answer = 99", [("cached-answer", "cached", "shared c")]),
    ("job-call", "UPDATE job SET call = 99 WHERE id = 3", [("job-call", "job", 3)]),
    ("job-call", "UPDATE job SET account = 2 WHERE id = 3", [("job-call", "job", 3)]),
    ("job-state", "UPDATE job SET node = '' WHERE id = 2", [("job-state", "job", 2)]),
    ("job-state", "UPDATE job SET result = NULL WHERE id = 1", [("job-state", "job", 1)]),
    ("billing", "UPDATE call SET code = '4003' WHERE id = 2", [("billing", "call", 2)]),
    (
        "billing",
        "UPDATE call SET code = '9999', verdict_ok = FALSE, billing = 'ignored' WHERE id = 3",
        [("billing", "call", 3)],
    ),
    ("billing", "UPDATE call SET verdict_ok = TRUE, code = '0000' WHERE id = 3", [("billing", "call", 3)]),
]


@pytest.mark.parametrize(
    ("invariant", "sql", "named"), BROKEN, ids=[f"{name} {place}" for place, (name, _, _) in enumerate(BROKEN)]
)
def test_a_broken_invariant_is_named_with_its_row(
    books: Store, kind: Kind, invariant: str, sql: str, named: list[tuple[str, str, int | str]]
) -> None:
    kind.break_books(sql)
    found = [(breach.invariant, breach.table, breach.row) for breach in breaches(books)]
    assert named[0][0] == invariant
    assert sorted(map(str, found)) == sorted(map(str, named))


def test_each_invariant_was_broken() -> None:
    assert {name for name, _, _ in BROKEN} == {*INVARIANTS}
    assert len({*INVARIANTS}) == len(INVARIANTS)


def test_it_says_what_is_wrong(books: Store, kind: Kind) -> None:
    kind.break_books("UPDATE account SET balance = 7 WHERE id = 2")
    [breach] = breaches(books)
    assert breach == Breach("balance", "account", 2, "the balance is 7, but deposits - charges + refunds is 1000")
    assert str(breach) == "balance: account 2: the balance is 7, but deposits - charges + refunds is 1000"


def test_billing_is_compared_with_a_registry_alone(books: Store, kind: Kind) -> None:
    kind.break_books("UPDATE call SET code = '4003' WHERE id = 2")
    assert books.read_now(audit) == []
    own = REGISTRY.override("4003", billing="charged")
    assert books.read_now(lambda db: audit(db, own)) == []


def test_the_store_itself_refuses_what_it_can(books: Store) -> None:
    refused: list[Callable[[Any], Any]] = [
        lambda db, sql=sql: db.execute(sql)  # type: ignore[misc]
        for _, sql, _ in BROKEN[2:5] + BROKEN[7:8]
    ]
    for steps in refused:
        with pytest.raises(Exception, match="breaks a rule"):
            books.write_now(steps)
    assert breaches(books) == []
