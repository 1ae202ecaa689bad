"""Copied books are the same books: every row, every number, and no number is given again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import Boolean

from envelope.gateway.books import CacheEntry, add_job, deposit, refund, take_job
from envelope.gateway.stores import Store, StoreError
from envelope.gateway.stores.copying import copy_books, figures_of
from envelope.gateway.stores.tables import METADATA
from tests.effort import THOROUGH
from tests.gateway.books.test_machine import Books
from tests.gateway.kinds import KINDS, Clock, Kind
from tests.gateway.ledger import admitted, breaches, new_account, settled

PAIRS = [(one, other) for one in KINDS for other in KINDS]


@pytest.fixture(params=PAIRS, ids=lambda pair: f"{pair[0]}-{pair[1]}")
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Kind, Kind]:
    """New books, and others to copy them into."""
    made = []
    for place, name in zip("st", request.param, strict=True):
        (tmp_path / place).mkdir()
        made.append(KINDS[name](tmp_path / place))
    return made[0], made[1]


@pytest.fixture
def source(pair: tuple[Kind, Kind], clock: Clock) -> Iterator[Store]:
    with pair[0].open(clock) as opened:
        yield opened


@pytest.fixture
def target(pair: tuple[Kind, Kind], clock: Clock) -> Iterator[Store]:
    with pair[1].open(clock) as opened:
        yield opened


def rows_of(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Everything, as any store has it."""
    found = {}
    for table in METADATA.sorted_tables:
        columns, key = [column.name for column in table.columns], [column.name for column in table.primary_key]
        assert key, table.name
        kinds = [bool if isinstance(column.type, Boolean) else None for column in table.columns]
        sql = f"SELECT {', '.join(columns)} FROM {table.name}"
        rows = store.read_now(lambda db, sql=sql: db.execute(sql))  # type: ignore[misc]
        found[table.name] = sorted(
            (
                tuple(
                    kind(value) if kind and value is not None else value for kind, value in zip(kinds, row, strict=True)
                )
                for row in rows
            ),
            key=repr,
        )
    return found


TEXT = "наличные ' \" \\\\ %s :x ¥ 🌍"


def fill(store: Store, calls: int = 5) -> None:
    """Books with something in every table."""
    alice, bob = new_account(store, "alice", balance=10**9), new_account(store, "bob", quota=3, concurrency=2)
    store.write_now(lambda db: deposit(db, bob, 77, TEXT))
    for number in range(calls):
        call = admitted(store, alice, idempotency_key=f"k{number}", digest=b"\0\xff")
        settled(store, call, answer=b"\0\xffanswer", cache=CacheEntry("s", f"c{number}", 60))
    refunded = admitted(store, bob)
    settled(store, refunded)
    submitted = admitted(store, alice)  # it is open

    def steps(db: Any) -> None:
        refund(db, refunded, "sorry")
        for _ in range(2):
            add_job(db, account=alice, call=submitted, method="m", args=b"{}")
        take_job(db, "node", 60)
        db.execute("INSERT INTO api (name, state) VALUES ('custom', 'maintenance')")
        db.execute("INSERT INTO nonce (account, nonce, until) VALUES (:account, 'n', 5)", account=alice)
        db.execute(
            "INSERT INTO carried (account, api_name, calls, charges, refunds) VALUES (:account, 'custom', 0, 7, 7)",
            account=alice,
        )

    store.write_now(steps)


def test_every_row_of_every_table_is_copied(source: Store, target: Store) -> None:
    fill(source)
    rows = rows_of(source)
    assert all(rows.values()), [table for table in rows if not rows[table]]
    told: list[tuple[int, int]] = []
    figures = copy_books(source, target, told=lambda done, of: told.append((done, of)))
    assert rows_of(target) == rows
    assert figures == source.read_now(figures_of) == target.read_now(figures_of)
    assert figures["call"] == 7
    assert figures["account.balance"] == 10**9 + 1077 - 5 * 60
    total = sum(map(len, rows.values()))
    assert told[-1] == (total, total)
    assert breaches(target) == breaches(source)


def test_more_rows_than_one_statement_takes(source: Store, target: Store) -> None:
    def steps(db: Any) -> None:
        alice = db.execute("SELECT id FROM account")[0][0]
        for number in range(1001):
            db.execute(
                "INSERT INTO nonce (account, nonce, until) VALUES (:account, :nonce, 5)",
                account=alice,
                nonce=f"{number % 7}-{number}",
            )

    new_account(source)
    source.write_now(steps)
    copy_books(source, target)
    assert rows_of(target) == rows_of(source)


def test_no_number_is_given_again(source: Store, target: Store) -> None:
    """Not even those whose rows are gone."""
    account = new_account(source)
    last = [admitted(source, account) for _ in range(3)][-1]
    settled(source, last - 2, 0, code="4001", ok=False, billing="free")
    for number in (last, last - 1):
        settled(source, number, 0, code="4001", ok=False, billing="free")
        source.write_now(lambda db, number=number: db.execute("DELETE FROM call WHERE id = :n", n=number))  # type: ignore[misc]
    copy_books(source, target)
    assert admitted(target, account) > last
    assert new_account(target, "bob") > account


def test_an_empty_store_is_copied(source: Store, target: Store) -> None:
    assert not any(copy_books(source, target).values())
    assert new_account(target) == 1


def test_what_has_something_is_not_copied_into(source: Store, target: Store) -> None:
    new_account(source)
    new_account(target, "bob")
    before = rows_of(target)
    with pytest.raises(StoreError, match="must be empty"):
        copy_books(source, target)
    assert rows_of(target) == before


@pytest.mark.parametrize("where", ["told", "checked"])
def test_what_fails_leaves_nothing(source: Store, target: Store, where: str) -> None:
    fill(source)
    asked: list[object] = []

    def fail(*given: object) -> None:
        asked.append(given)
        if where == "checked" or len(asked) == 3:
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        copy_books(source, target, **{where: fail})
    assert len(asked) == (1 if where == "checked" else 3)  # it is not tried again
    assert not any(target.read_now(figures_of).values())
    copy_books(source, target)
    assert rows_of(target) == rows_of(source)


def test_what_is_written_meanwhile_is_not_in_the_copy(source: Store, target: Store) -> None:
    fill(source)
    before = rows_of(source)

    def write(done: int, rows: int) -> None:
        new_account(source, f"after {done}")

    copy_books(source, target, told=write)
    assert rows_of(target) == before
    assert len(rows_of(source)["account"]) > len(before["account"])


class Copied(Books):
    """Books after whatever happened to them, copied there and back."""

    def teardown(self) -> None:
        try:
            there_and_back(self.store)
        finally:
            super().teardown()


def there_and_back(store: Store) -> None:
    rows = rows_of(store)
    for kind in KINDS:
        with (
            tempfile.TemporaryDirectory() as one,
            tempfile.TemporaryDirectory() as other,
            KINDS[kind](Path(one)).open() as there,
            KINDS["sqlite"](Path(other)).open() as back,
        ):
            copy_books(store, there)
            copy_books(there, back)
            assert rows_of(there) == rows_of(back) == rows
            assert breaches(back) == []


Copied.TestCase.settings = settings(max_examples=200 if THOROUGH else 15, stateful_step_count=30, deadline=None)
TestCopied = Copied.TestCase
