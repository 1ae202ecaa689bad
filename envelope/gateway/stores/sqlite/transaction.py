"""A `Transaction` on one connection of SQLite's."""

from __future__ import annotations

import sqlite3
from typing import Any

from envelope.gateway.stores.sqlite.errors import translated

__all__ = ["SqliteTransaction"]


class SqliteTransaction:
    """What the functions of one group, or of one view, get."""

    __slots__ = ("_run", "failure", "now")

    def __init__(self, connection: sqlite3.Connection, now: int) -> None:
        self._run = connection.execute
        self.now = now
        self.failure: sqlite3.Error | None = None

    def execute(self, sql: str, /, **values: object) -> list[tuple[Any, ...]]:
        """Run one statement, see `envelope.gateway.stores.Transaction`."""
        try:
            return self._run(sql, values).fetchall()
        except sqlite3.Error as error:
            self.failure = error  # also for whoever hides it
            raise translated(error) from None
