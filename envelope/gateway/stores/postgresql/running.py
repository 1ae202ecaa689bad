"""One transaction on one connection: run, run again if others were in its way, and committed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

import psycopg

from envelope.gateway.stores.errors import StoreUnavailable
from envelope.gateway.stores.postgresql.errors import is_gone, is_in_the_way, reason_of, translated
from envelope.gateway.stores.postgresql.session import Session
from envelope.gateway.stores.postgresql.transaction import PostgresTransaction
from envelope.gateway.stores.store import Transaction

__all__ = ["READING", "TAKING_LONG", "WRITING", "Lost", "Unknown", "run"]

T = TypeVar("T")

_TRIES: Final = 50  # of a transaction that others are in the way of

# Each begins a transaction and tells its number and the server's time, in one message.
_NOW: Final = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
_WRITING: Final = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit TO off"
_TOLD: Final = f"SELECT pg_current_xact_id()::text, {_NOW}"
WRITING: Final = f"{_WRITING}; {_TOLD}"
"""How a transaction begins whose COMMIT does not wait for the disk (`envelope.gateway.stores.postgresql.flushing`)."""
TAKING_LONG: Final = f"{_WRITING}; SET LOCAL idle_in_transaction_session_timeout TO 0; {_TOLD}"
"""The same for one that the server is not to end when it falls silent."""
READING: Final = f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT '', {_NOW}"
"""How a view begins."""


class Lost(Exception):  # these two go no further than the store
    """The connection is of no use any more, for a reason, and nothing of the transaction was recorded."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__(reason_of(error))


class Unknown(Exception):
    """The connection broke while a transaction was committed; its number, and what it returned."""

    def __init__(self, transaction: str, value: Any) -> None:
        super().__init__(transaction)
        self.transaction = transaction
        self.value = value


def run(
    session: Session,
    steps: Callable[[Transaction], T],
    mode: str,
    clock: Callable[[], int] | None = None,
    may_commit: Callable[[], bool] = lambda: True,
) -> tuple[str, T]:
    """Run *steps* as one transaction; its number and its value, once it is committed.

    *mode* is one of the above, *clock* the time of the transaction (None: the server's); *may_commit* is asked last.
    Raises `Lost`, `Unknown`, what *steps* raises, or `StoreUnavailable`.
    """
    is_careful = False
    for _ in range(_TRIES):
        transaction, db = _begin(session, mode, clock, is_careful=is_careful)
        try:
            value = steps(db)
        except BaseException as error:
            _roll_back(session)
            if not _is_to_be_run_again(db, is_careful=is_careful, error=error):
                raise
        else:
            if db.failure is None:
                _commit(session, transaction, value, is_wanted=may_commit())
                return transaction, value
            _roll_back(session)
            if not _is_to_be_run_again(db, is_careful=is_careful):
                raise translated(db.failure)
        is_careful = is_careful or not (db.failure is not None and is_in_the_way(db.failure))
    raise StoreUnavailable("others were in the way for too long")


def _begin(
    session: Session, mode: str, clock: Callable[[], int] | None, *, is_careful: bool
) -> tuple[str, PostgresTransaction]:
    try:
        [(transaction, now)] = session.run(mode)
    except psycopg.Error as error:
        if is_gone(error):
            raise Lost(error) from None
        raise translated(error) from None
    return transaction, PostgresTransaction(session, clock() if clock is not None else now, is_careful=is_careful)


def _is_to_be_run_again(db: PostgresTransaction, *, is_careful: bool, error: BaseException | None = None) -> bool:
    """Whether a transaction in which a statement failed may do better; `Lost` if its connection is broken.

    If it hid a statement that failed, all that it did then failed too: that is done again, carefully.
    """
    if db.failure is None:
        return False
    if is_gone(db.failure):
        raise Lost(db.failure) from None
    return is_in_the_way(db.failure) or not (is_careful or (error is not None and error is db.told))


def _roll_back(session: Session) -> None:
    with suppress(psycopg.Error):  # the connection is broken, and found to be so the next time
        session.run("ROLLBACK")


def _commit(session: Session, transaction: str, value: Any, *, is_wanted: bool) -> None:
    if not is_wanted or not transaction:
        _roll_back(session)
        return
    try:
        session.run("COMMIT")
    except psycopg.Error as error:
        if is_gone(error):
            raise Unknown(transaction, value) from None
        raise translated(error) from None
