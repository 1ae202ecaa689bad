"""The kinds of stores: whatever a test asks of `store` holds for each of them."""

from __future__ import annotations

import sqlite3
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pytest

from envelope.gateway.stores.opening import open_store
from envelope.gateway.stores.postgresql.store import PostgresStore
from envelope.gateway.stores.sqlite.store import SqliteStore
from envelope.gateway.stores.store import Store
from tests import postgresql

_NO_INDEXES: Final = "; ".join(
    f"DROP INDEX {index}" for index in ("call_request_id", "entry_call", "entry_reference", "repeat_call")
)
_RULES: Final = (
    "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype IN ('c', 'f') AND conrelid <> 0"
)

START = 1_800_000_000_000_000


class Clock:
    """A store's clock that a test sets, in microseconds."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def step(self, seconds: float) -> None:
        self.now += round(seconds * 1_000_000)


class Kind(ABC):
    """New books of one kind, for the time of a context, which can be opened more than once; *folder* is the test's.

    They have no tables yet if they are *empty*.
    """

    address: str
    """What `open_store` is given."""

    @abstractmethod
    def __init__(self, folder: Path, *, empty: bool = False) -> None: ...

    @abstractmethod
    def open(self, clock: Callable[[], int] | None = None, timeout: float = 10.0) -> Store:
        """The same books once more, as another process would open them."""

    @abstractmethod
    def break_books(self, sql: str) -> None:
        """Run *sql* past the rules of the tables."""

    @abstractmethod
    def remove(self) -> None:
        """Remove what is not in the test's folder."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


class Sqlite(Kind):
    """Books in a file."""

    def __init__(self, folder: Path, *, empty: bool = False) -> None:
        path = folder / "gateway.db"
        path.write_bytes(b"" if empty else _file())
        self.address = str(path)

    def open(self, clock: Callable[[], int] | None = None, timeout: float = 10.0) -> Store:
        return SqliteStore(self.address, timeout=timeout, **({} if clock is None else {"clock": clock}))

    def break_books(self, sql: str) -> None:
        with closing(sqlite3.connect(self.address)) as connection:
            connection.executescript(f"PRAGMA ignore_check_constraints = ON; {_NO_INDEXES}; {sql}")

    def remove(self) -> None:
        pass


class Postgresql(Kind):
    """Books in a database of the suite's own server."""

    def __init__(self, folder: Path, *, empty: bool = False) -> None:
        self._name = postgresql.shared().new_database("template0" if empty else _database())
        self.address = postgresql.shared().address(self._name)

    def open(self, clock: Callable[[], int] | None = None, timeout: float = 10.0) -> Store:
        return PostgresStore(self.address, timeout=timeout, clock=clock, grace=0)

    def break_books(self, sql: str) -> None:
        for table, rule in postgresql.shared().execute(_RULES, self._name):
            postgresql.shared().execute(f"ALTER TABLE {table} DROP CONSTRAINT {rule} CASCADE", self._name)
        postgresql.shared().execute(f"{_NO_INDEXES}; {sql}", self._name)

    def remove(self) -> None:
        postgresql.shared().drop_database(self._name)


KINDS: Final[dict[str, type[Kind]]] = {"sqlite": Sqlite, "postgresql": Postgresql}
ALL: Final = [pytest.param("sqlite"), pytest.param("postgresql", marks=pytest.mark.postgresql)]
"""The names of the kinds, as parameters of a test or of a fixture; what is not installed here is skipped."""


@cache
def _file() -> bytes:
    """A new file with its tables: a copy is quicker than to make them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gateway.db"
        SqliteStore(path).close()
        return path.read_bytes()


@cache
def _database() -> str:
    """A new database with its tables, of which the others are copies."""
    name = postgresql.shared().new_database()
    open_store(postgresql.shared().address(name)).close()
    return name
