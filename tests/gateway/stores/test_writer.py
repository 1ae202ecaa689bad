"""The thread that writes goes on whatever happens in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from envelope.gateway.stores import StoreUnavailable
from envelope.gateway.stores.sqlite.store import SqliteStore
from tests.gateway.kinds import Clock
from tests.gateway.stores.test_store import insert, names


def test_a_clock_that_fails(tmp_path: Path) -> None:
    clock = Clock()
    with SqliteStore(tmp_path / "gateway.db", clock=lambda: 1 // (clock.now - 7)) as store:
        clock.now = 7
        with pytest.raises(StoreUnavailable, match="ZeroDivisionError"):
            store.write_now(insert("a"))
        clock.now = 8
        store.write_now(insert("b"))
        assert names(store) == ["b"]


def test_a_lock_that_cannot_be_had(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "gateway.db").close()
    turn = tmp_path / "gateway.db-turn"
    turn.unlink()
    turn.mkdir()
    with SqliteStore(tmp_path / "gateway.db") as store:
        with pytest.raises(StoreUnavailable, match="cannot be locked"):
            store.write_now(insert("a"))
        turn.rmdir()
        store.write_now(insert("b"))
        assert names(store) == ["b"]


def test_a_connection_that_cannot_be_had(tmp_path: Path) -> None:
    def fails() -> sqlite3.Connection:
        raise sqlite3.OperationalError("a path that stays private")

    with SqliteStore(tmp_path / "gateway.db") as store:
        connect = vars(store._writer)["_connect"]
        vars(store._writer)["_connect"] = fails
        with pytest.raises(StoreUnavailable) as caught:
            store.write_now(insert("a"))
        assert "private" not in str(caught.value)
        vars(store._writer)["_connect"] = connect
        store.write_now(insert("b"))
        assert names(store) == ["b"]


def test_a_commit_that_fails_records_nothing(tmp_path: Path) -> None:
    """A deferred rule is checked by the commit: all of the group are told, and all of it is undone."""
    with SqliteStore(tmp_path / "gateway.db") as store:
        with pytest.raises(StoreUnavailable, match="IntegrityError"):
            store.write_now(
                lambda db: [
                    db.execute("PRAGMA defer_foreign_keys = ON"),
                    db.execute("INSERT INTO grants VALUES (99, 'x', 'active', NULL, 0)"),
                ]
            )
        store.write_now(insert("a"))
        assert names(store) == ["a"]
        assert store.read_now(lambda db: db.execute("SELECT count(*) FROM grants")) == [(0,)]


def test_a_mistake_in_a_statement_is_its_callers(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "gateway.db") as store:
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            store.write_now(lambda db: db.execute("SELECT * FROM missing"))
        with pytest.raises(sqlite3.ProgrammingError):
            store.write_now(lambda db: db.execute("SELECT :missing"))
        store.write_now(insert("a"))
        assert names(store) == ["a"]
