"""A `Transaction` on one connection of PostgreSQL's."""

from __future__ import annotations

from typing import Any

import psycopg

from envelope.gateway.stores.errors import Conflict
from envelope.gateway.stores.postgresql.errors import translated
from envelope.gateway.stores.postgresql.session import Session

__all__ = ["PostgresTransaction"]


class PostgresTransaction:
    """What a function gets that is run as one transaction.

    An error in a statement ends a transaction of PostgreSQL's. If it is *careful*, each statement can fail alone, which
    costs two more. ``failure`` is what ended the transaction, ``told`` what was raised for it.
    """

    __slots__ = ("_is_careful", "_session", "failure", "now", "told")

    def __init__(self, session: Session, now: int, *, is_careful: bool = False) -> None:
        self._session = session
        self._is_careful = is_careful
        self.now = now
        self.failure: psycopg.Error | None = None
        self.told: Exception | None = None

    def execute(self, sql: str, /, **values: object) -> list[tuple[Any, ...]]:
        """Run one statement, see `envelope.gateway.stores.Transaction`."""
        try:
            return self._alone(sql, values) if self._is_careful else self._session.execute(sql, values)
        except psycopg.Error as error:
            own = translated(error)
            if self.failure is None and not (self._is_careful and isinstance(own, Conflict)):
                self.failure, self.told = error, own
            raise own from None

    def _alone(self, sql: str, values: dict[str, object]) -> list[tuple[Any, ...]]:
        self._session.run("SAVEPOINT one")
        try:
            rows = self._session.execute(sql, values)
        except (psycopg.IntegrityError, psycopg.DataError):
            self._session.run("ROLLBACK TO one")
            raise
        self._session.run("RELEASE one")
        return rows
