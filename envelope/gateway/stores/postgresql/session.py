"""`Session`: statements on one connection, at the least cost.

Books are a few short statements a call, and most of what they cost a process is between it and libpq. So this uses
psycopg's own wrapper of libpq, in which a statement is one call that waits without the interpreter's lock, in a third
of a cursor's time.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

import psycopg
from psycopg import errors
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult

__all__ = ["Session"]

_SERVER: Final = "SELECT concat(pg_postmaster_start_time(), ' ', inet_server_addr(), ' ', inet_server_port())"
_MOST: Final = 256  # statements that are kept prepared; there are fewer than a hundred
_PARAMETER: Final = re.compile(r"(?<![:\w]):(\w+)")
_DONE: Final = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)

# Types by their numbers in PostgreSQL's catalogue, which do not change.
_BOOL, _BYTES, _INT8, _INT2, _INT4, _TEXT = 16, 17, 20, 21, 23, 25
_OF_VALUES: Final = {bool: _BOOL, bytes: _BYTES, int: _INT8}  # a text may be of any type, and so may NULL
_READ: Final[Mapping[int, Callable[[bytes], Any]]] = {
    _BOOL: lambda raw: raw == b"t",
    _BYTES: lambda raw: bytes.fromhex(raw[2:].decode()),  # \x…
    _INT8: int,
    _INT2: int,
    _INT4: int,
}


class Session:
    """One connection in autocommit mode, used by one thread at a time: transactions begin and end by statements, too.

    ``server`` says which server it is, and since when: another text after a restart.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._pg = connection.pgconn
        self._prepared: dict[str, bytes] = {}
        [(self.server,)] = self.run(_SERVER)

    def execute(self, sql: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """Run one statement, whose parameters are named as in ``:name``; its rows. Raises `psycopg.Error`."""
        text, names = _numbered(sql)
        given = [values[name] for name in names]
        name = self._prepared.get(sql) or self._prepare(sql, text, given)
        return _rows(self._checked(self._pg.exec_prepared(name, [_written(value) for value in given])))

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Run statements without parameters, in one message; the rows of the last. Raises `psycopg.Error`."""
        return _rows(self._checked(self._pg.exec_(sql.encode())))

    def cut(self) -> None:
        """End the connection under the thread that waits for the server."""
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self._pg.socket)) as shared:
            shared.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection, however broken it is."""
        with suppress(psycopg.Error):
            self._connection.close()

    def _checked(self, result: PGresult) -> PGresult:
        if result.status in _DONE:
            return result
        error = errors.error_from_result(result)
        if error.sqlstate is None and self._pg.status == ConnStatus.BAD:
            raise psycopg.OperationalError("the connection is broken")
        raise error

    def _prepare(self, sql: str, text: bytes, given: list[object]) -> bytes:
        if len(self._prepared) == _MOST:
            self.run("DEALLOCATE ALL")
            self._prepared.clear()
        name = b"s%d" % len(self._prepared)
        self._checked(self._pg.prepare(name, text, [_OF_VALUES.get(type(value), 0) for value in given]))
        self._prepared[sql] = name
        return name


@lru_cache(1024)
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """*sql* with numbers for its parameters, and their names in that order."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return _PARAMETER.sub(number, sql).encode(), tuple(names)


def _written(value: object) -> Any:
    """*value* as PostgreSQL reads it. `psycopg.DataError` for a text that it has no room for."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode()
    try:
        text = str(value).encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise psycopg.DataError("not a text of Unicode") from None
    if b"\0" in text:
        raise psycopg.DataError("a text with NUL")
    return text


def _rows(result: PGresult) -> list[tuple[Any, ...]]:
    readers = [_READ.get(result.ftype(column), bytes.decode) for column in range(result.nfields)]
    return [
        tuple(
            None if (raw := result.get_value(row, column)) is None else read(raw) for column, read in enumerate(readers)
        )
        for row in range(result.ntuples)
    ]
