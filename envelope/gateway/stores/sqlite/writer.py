"""`Writer`: the one thread of a process that writes, many transactions with one commit."""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from envelope.gateway.stores.errors import StoreUnavailable
from envelope.gateway.stores.sqlite.errors import is_fatal, is_locked, reason_of
from envelope.gateway.stores.sqlite.transaction import SqliteTransaction
from envelope.gateway.stores.sqlite.turns import Turns
from envelope.gateway.stores.work import Work, tell

__all__ = ["Writer"]

_GROUP: Final = 256  # transactions at most with one commit, so that the first does not wait long for the last
_IMPATIENT: Final = "the store was locked for too long"


class Writer:
    """The thread that writes. *connect* opens its connection, *turns* keeps other processes out meanwhile.

    Whatever waits when the turn comes is one group: each transaction is undone alone if it raises, one commit for all.
    Only then their callers are told. If the group cannot be committed, nothing of it is recorded. Transactions that
    need not be synced are a group of their own, which goes first, as nobody in it waits for the disk.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], turns: Turns, clock: Callable[[], int]) -> None:
        self._connect = connect
        self._turns = turns
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._is_synced: bool | None = None  # how the connection commits
        self._waiting: deque[Work[Any]] = deque()
        self._hasty: deque[Work[Any]] = deque()  # those that need not be synced
        self._changed = threading.Condition(threading.Lock())
        self._is_closing = False
        # A daemon, because it may wait for a turn that never comes.
        self._thread = threading.Thread(target=self._run, name="envelope-store", daemon=True)
        self._thread.start()

    def put(self, work: Work[Any]) -> None:
        """Have *work* done with the next group."""
        with self._changed:
            if self._is_closing:
                raise StoreUnavailable("the store is closed")
            (self._waiting if work.is_synced else self._hasty).append(work)
            if len(self._waiting) + len(self._hasty) == 1:
                self._changed.notify()

    def withdraw(self, work: Work[Any]) -> bool:
        """Take *work* back; False if it is too late for that."""
        with self._changed:
            if work.is_taken:
                return False
            work.is_taken = True
            return True

    def give_up(self, work: Work[Any]) -> None:
        """Tell the caller of *work* that it waited too long, unless it is being done."""
        if self.withdraw(work):
            work.error = StoreUnavailable(_IMPATIENT)
            work.tell()

    def close(self, timeout: float) -> None:
        """Do what waits, within *timeout* seconds, and end the thread."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._waiting or self._hasty or self._is_closing):
                    self._changed.wait()
                queues = [queue for queue in (self._hasty, self._waiting) if queue]
                if not queues:
                    break
            for queue in queues:
                self._serve(queue)
        self._disconnect()
        self._turns.close()

    def _serve(self, queue: deque[Work[Any]]) -> None:
        """One group, from the lock to the callers."""
        group: list[Work[Any]] = []
        try:
            with self._turns:
                group = self._work(queue)
        except OSError as error:
            # What was committed was, even if the turn cannot be given up.
            group = group or _failed(self._take(queue), f"the store cannot be locked: {error.strerror}")
        tell(group)

    def _work(self, queue: deque[Work[Any]]) -> list[Work[Any]]:
        try:
            connection = self._connected(is_synced=queue is self._waiting)
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            if is_locked(error) and not self._is_closing:
                self._forget_withdrawn(queue)
                return []  # whoever waits says himself when it was too long
            self._disconnect()
            return _failed(self._take(queue), reason_of(error))
        group = self._take(queue)
        try:
            now = self._clock()
            if not all(_run(SqliteTransaction(connection, now), work) for work in group):
                # One of them is to be undone, which is seldom: only then each has a savepoint of its own.
                connection.execute("ROLLBACK")
                connection.execute("BEGIN IMMEDIATE")
                for work in group:
                    _run_in_savepoint(connection, SqliteTransaction(connection, now), work)
            connection.execute("COMMIT")
        except Exception as error:  # whatever it is, callers wait
            self._disconnect()  # which also rolls back
            return _failed(group, reason_of(error))
        return group

    def _take(self, queue: deque[Work[Any]]) -> list[Work[Any]]:
        group: list[Work[Any]] = []
        with self._changed:
            while queue and len(group) < _GROUP:
                work = queue.popleft()
                if not work.is_taken:
                    work.is_taken = True
                    group.append(work)
        return group

    def _forget_withdrawn(self, queue: deque[Work[Any]]) -> None:
        """Forget whoever gave up, so that the lock is not waited for in vain."""
        with self._changed:
            while queue and queue[0].is_taken:
                queue.popleft()

    def _connected(self, *, is_synced: bool) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect()
            self._is_synced = None
        if is_synced is not self._is_synced:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if is_synced else 'NORMAL'}")
            self._is_synced = is_synced
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _failed(group: list[Work[Any]], reason: str) -> list[Work[Any]]:
    # One exception each: a traceback is added to it wherever it is raised.
    for work in group:
        work.error = StoreUnavailable(reason)
    return group


def _run(db: SqliteTransaction, work: Work[Any]) -> bool:
    """Run one transaction of a group; False if it raised. `sqlite3.Error` if the whole group is lost."""
    work.result.clear()
    work.error = None
    try:
        work.result.append(work.steps(db))
    except BaseException as error:  # it is the caller's, whatever it is
        work.error = error
    if db.failure is not None and is_fatal(db.failure):
        raise db.failure
    return work.error is None


def _run_in_savepoint(connection: sqlite3.Connection, db: SqliteTransaction, work: Work[Any]) -> None:
    """The same, and what it raises undoes it alone."""
    connection.execute("SAVEPOINT one")
    if not _run(db, work):
        connection.execute("ROLLBACK TO one")
    connection.execute("RELEASE one")
