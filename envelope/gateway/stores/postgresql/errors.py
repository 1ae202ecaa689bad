"""PostgreSQL's errors in a store's own words."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import errors

from envelope.gateway.stores.errors import Conflict, StoreError, StoreUnavailable

__all__ = ["is_gone", "is_in_the_way", "reason_of", "translated"]

_WORDS: Final = {
    "08": "the store cannot be reached",
    "25": "the store cannot be written",
    "28": "the store takes neither this user nor this password",
    "3D": "there is no such database",
    "53": "the store has no connection, memory or disk left",
    "55": "the store was locked for too long",
    "57": "the store is being stopped",
    "58": "the store's disk cannot be read or written",
    "XX": "the store is damaged",
}
"""By the first two characters of an SQLSTATE, which are its class."""

_MOST: Final = 200  # characters
_KNOWN: Final = ("connection to server", "failed to resolve host")

# 53300 and 53400 mean that there is no connection for us, 25006 that the server does not take writes any more, 25P03
# that we fell silent for too long amid a transaction.
_GONE: Final = ("08", "57P", "53300", "53400", "25006", "25P03")


def is_gone(error: psycopg.Error) -> bool:
    """Whether *error* says that this connection is of no use any more, and another one may be."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate.startswith(_GONE)


def is_in_the_way(error: psycopg.Error) -> bool:
    """Whether the same transaction may do better if it is run again: others were in its way."""
    return isinstance(error, errors.SerializationFailure | errors.DeadlockDetected)


def reason_of(error: psycopg.Error) -> str:
    """Why the store could not be used: nothing that a caller sent, and no password."""
    return _words(error) or f"the store failed: {type(error).__name__}"


def translated(error: psycopg.Error) -> StoreError | psycopg.Error:
    """The store's own error for *error*; a mistake in a statement stays what it is."""
    if isinstance(error, psycopg.IntegrityError):
        return Conflict(f"a row breaks a rule of its table: {error.diag.constraint_name}")
    if isinstance(error, psycopg.DataError):
        return Conflict("a value that no row can have")
    return StoreUnavailable(reason_of(error)) if _words(error) else error


def _words(error: psycopg.Error) -> str | None:
    if error.sqlstate is None:
        return f"{_WORDS['08']}{_told(error)}" if is_gone(error) else None
    if isinstance(error, errors.InsufficientPrivilege):
        return f"the store's user lacks a right: {error.diag.message_primary}"  # it names a table or a function
    return _WORDS.get(error.sqlstate[:2])


def _told(error: psycopg.Error) -> str:
    """What libpq says of a connection that it could not make: whom it asked, and why not."""
    first = str(error).partition("\n")[0].removeprefix("connection failed: ").removeprefix("connection is bad: ")
    return f": {first[:_MOST]}" if first.isprintable() and first.startswith(_KNOWN) else ""
