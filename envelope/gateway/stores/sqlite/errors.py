"""SQLite's errors in a store's own words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from envelope.gateway.stores.errors import Conflict, StoreError, StoreUnavailable

__all__ = ["in_our_words", "is_fatal", "is_locked", "reason_of", "translated"]

_FATAL: Final = {
    sqlite3.SQLITE_BUSY: "the store is locked",
    sqlite3.SQLITE_LOCKED: "the store is locked",
    sqlite3.SQLITE_NOMEM: "the store has no memory left",
    sqlite3.SQLITE_READONLY: "the store cannot be written",
    sqlite3.SQLITE_IOERR: "the store's disk cannot be read or written",
    sqlite3.SQLITE_CORRUPT: "the store's file is damaged",
    sqlite3.SQLITE_FULL: "the store's disk is full",
    sqlite3.SQLITE_CANTOPEN: "the store's file cannot be opened",
    sqlite3.SQLITE_PROTOCOL: "the store is locked",
    sqlite3.SQLITE_NOTADB: "the store's file is not a database",
}


def _kind(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # without the details of extended codes


def is_locked(error: sqlite3.Error) -> bool:
    """Whether another program has the lock that is needed."""
    return _kind(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)


def is_fatal(error: sqlite3.Error) -> bool:
    """Whether it is the store that failed, and not one statement."""
    return _kind(error) in _FATAL


def reason_of(error: Exception) -> str:
    """Why a whole group could not be recorded."""
    known = isinstance(error, sqlite3.Error) and is_fatal(error)
    return _FATAL[_kind(error)] if known else f"the store failed: {type(error).__name__}"


def translated(error: sqlite3.Error) -> StoreError | sqlite3.Error:
    """The store's own error for *error*; a mistake in a statement stays what it is."""
    if is_fatal(error):
        return StoreUnavailable(reason_of(error))
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(f"a row breaks a rule of its table: {error}")  # SQLite names the rule, not the values
    return error


@contextmanager
def in_our_words() -> Iterator[None]:
    """What SQLite raises in the block, translated."""
    try:
        yield
    except sqlite3.Error as error:
        own = translated(error)
        if own is error:
            raise
        raise own from None
