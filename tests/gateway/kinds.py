"""The kinds of stores: whatever a test asks of `store` holds for each of them."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TypeAlias

import psycopg
import pytest

from envelope.gateway.stores.opening import open_store
from envelope.gateway.stores.postgresql.store import PostgresStore
from envelope.gateway.stores.sqlite import SqliteStore
from envelope.gateway.stores.store import Store
from tests import postgresql

_UNIQUE = ("call_request_id", "entry_call", "entry_reference", "repeat_call")
_RULES = "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype IN ('c', 'f') AND conrelid <> 0"

START = 1_800_000_000_000_000


class Clock:
    """A store's clock that a test sets, in microseconds."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def step(self, seconds: float) -> None:
        self.now += round(seconds * 1_000_000)


class Sqlite:
    """Books in a file below *folder*, without tables yet if *empty*."""

    def __init__(self, folder: Path, *, empty: bool = False) -> None:
        path = folder / "gateway.db"
        path.write_bytes(b"" if empty else _template())
        self.address = str(path)

    def open(self, clock: Callable[[], int] | None = None, timeout: float = 10.0) -> Store:
        """The same books once more, as another process would open them."""
        return SqliteStore(self.address, timeout=timeout, **({} if clock is None else {"clock": clock}))

    def break_books(self, sql: str) -> None:
        """Run *sql* past the rules of the tables."""
        indexes = "; ".join(f"DROP INDEX {index}" for index in _UNIQUE)
        with closing(sqlite3.connect(self.address)) as connection:
            connection.executescript(f"PRAGMA ignore_check_constraints = ON; {indexes}; {sql};")


class Postgresql:
    """Books in a database of their own; *folder* is not needed."""

    def __init__(self, folder: Path) -> None:
        if why := postgresql.missing():
            pytest.skip(why)
        cluster = postgresql.shared()
        self.address = cluster.address(cluster.new_database(_database()))

    def open(self, clock: Callable[[], int] | None = None, timeout: float = 10.0) -> Store:
        """The same books once more, as another process would open them."""
        return PostgresStore(self.address, timeout=timeout, clock=clock, grace=0)

    def break_books(self, sql: str) -> None:
        """Run *sql* past the rules of the tables."""
        with psycopg.connect(self.address) as connection:
            for table, rule in connection.execute(_RULES).fetchall():
                connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {rule} CASCADE")
            for index in _UNIQUE:
                connection.execute(f"DROP INDEX {index}")
            connection.execute(sql.encode())


Kind: TypeAlias = Sqlite | Postgresql

KINDS: dict[str, type[Kind]] = {"sqlite": Sqlite, "postgresql": Postgresql}


@cache
def _database() -> str:
    """A new database with its tables: a copy is quicker than to make them."""
    cluster = postgresql.shared()
    name = cluster.new_database()
    open_store(cluster.address(name)).close()
    return name


@cache
def _template() -> bytes:
    """A new file with its tables: a copy is quicker than to make them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gateway.db"
        SqliteStore(path).close()
        return path.read_bytes()
