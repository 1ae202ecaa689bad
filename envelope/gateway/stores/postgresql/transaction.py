"""A `Transaction` on one connection of PostgreSQL's."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

import psycopg

from envelope.gateway.stores.errors import Conflict
from envelope.gateway.stores.postgresql.errors import translated

__all__ = ["PostgresTransaction"]

_PARAMETER: Final = re.compile(r"(?<![:\w]):(\w+)")


class PostgresTransaction:
    """What a function gets that is run as one transaction.

    An error in a statement ends a transaction of PostgreSQL's. If it is *careful*, each statement can fail alone, which
    costs two more. ``failure`` is what ended the transaction, ``told`` what was raised for it.
    """

    __slots__ = ("_cursor", "_is_careful", "failure", "now", "told")

    def __init__(self, cursor: psycopg.Cursor[tuple[Any, ...]], now: int, *, is_careful: bool = False) -> None:
        self._cursor = cursor
        self._is_careful = is_careful
        self.now = now
        self.failure: psycopg.Error | None = None
        self.told: Exception | None = None

    def execute(self, sql: str, /, **values: object) -> list[tuple[Any, ...]]:
        """Run one statement, see `envelope.gateway.stores.Transaction`."""
        cursor = self._cursor
        try:
            if not self._is_careful:
                cursor.execute(_as_psycopg_has_it(sql), values)
                return cursor.fetchall() if cursor.description is not None else []
            cursor.execute("SAVEPOINT one")
            try:
                cursor.execute(_as_psycopg_has_it(sql), values)
                rows = cursor.fetchall() if cursor.description is not None else []
            except (psycopg.IntegrityError, psycopg.DataError):
                cursor.execute("ROLLBACK TO one")
                raise
            cursor.execute("RELEASE one")
        except psycopg.Error as error:
            own = translated(error)
            if self.failure is None and not (self._is_careful and isinstance(own, Conflict)):
                self.failure, self.told = error, own
            raise own from None
        except UnicodeEncodeError:  # half of a surrogate pair, which is the caller's
            raise Conflict("a text that no row can have") from None
        return rows


@lru_cache(1024)
def _as_psycopg_has_it(sql: str) -> str:
    """*sql* with parameters as psycopg names them."""
    return _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))
