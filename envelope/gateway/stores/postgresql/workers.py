"""`Workers`: threads that do transactions, each on a connection of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import psycopg

from envelope.gateway.stores.errors import StoreUnavailable, StoreUncertain
from envelope.gateway.stores.postgresql.connecting import Connection, close, cut
from envelope.gateway.stores.postgresql.errors import reason_of
from envelope.gateway.stores.postgresql.running import HASTY, READING, WRITING, Lost, Unknown, run
from envelope.gateway.stores.work import Work, tell

__all__ = ["Workers"]

_IDLE: Final = 60.0  # seconds, after which a thread and its connection end
_FIRST, _LONGEST = 0.05, 1.0  # seconds between two attempts to connect
_IMPATIENT: Final = "the store did not answer in time"
_CLOSED: Final = "the store is closed"
_STATUS: Final = "SELECT pg_xact_status(%s::xid8)"


class Workers:
    """At most *most* threads, which *connect* when there is work, and do each transaction by itself.

    While the server cannot be reached, work waits until its caller gives it up. If a connection breaks under a
    transaction, that is done again, unless the server says that it was committed. *clock* is the time of transactions;
    None: the server's.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        clock: Callable[[], int] | None,
        *,
        most: int,
        is_reader: bool = False,
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._most = most
        self._is_reader = is_reader
        self._waiting: deque[Work[Any]] = deque()
        # What is being done, and by which connection; None once that commits: then its end cannot be stopped any more.
        self._running: dict[Work[Any], Connection] = {}
        self._committing: set[Work[Any]] = set()
        self._changed = threading.Condition(threading.Lock())
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._is_closing = False
        self._closed = threading.Event()
        self._trouble = ""  # why there is no connection

    def put(self, work: Work[Any]) -> None:
        """Have *work* done."""
        with self._changed:
            if self._is_closing:
                raise StoreUnavailable(_CLOSED)
            self._waiting.append(work)
            if self._idle >= len(self._waiting):
                self._changed.notify()
            elif len(self._threads) < self._most:
                # A daemon, because it may wait for a server that never answers.
                thread = threading.Thread(target=self._run, name="envelope-store", daemon=True)
                self._threads.add(thread)
                thread.start()

    def withdraw(self, work: Work[Any]) -> bool:
        """Take *work* back; False if it is too late for that."""
        with self._changed:
            if not work.is_taken:
                work.is_taken = True
                return True
            if work in self._committing:
                return False
            return self._running.pop(work, None) is not None

    def give_up(self, work: Work[Any]) -> None:
        """Tell the caller of *work* that it waited too long, whatever is being done."""
        with self._changed:
            connection = self._running.pop(work, None)
            if connection is None and work.is_taken:
                return  # it has its outcome
            work.is_taken = True
            is_known = work not in self._committing
            trouble = self._trouble
        if connection is not None:
            cut(connection)
        work.error = StoreUnavailable(trouble or _IMPATIENT) if is_known else StoreUncertain(_IMPATIENT)
        work.tell()

    def close(self, timeout: float) -> None:
        """Do what waits, within *timeout* seconds, and end."""
        with self._changed:
            self._is_closing = True
            self._closed.set()
            self._changed.notify_all()
            threads = [*self._threads]
        until = time.monotonic() + timeout
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0))
        with self._changed:
            left = [work for work in self._waiting if not work.is_taken]
            for work in left:
                work.is_taken = True
        for work in left:
            work.error = StoreUnavailable(_CLOSED)
        tell(left)

    def _run(self) -> None:
        connection: Connection | None = None
        pause = _FIRST
        try:
            while self._is_wanted():
                if connection is None:
                    try:
                        connection = self._connect()
                    except psycopg.Error as error:
                        self._trouble = reason_of(error)
                        self._closed.wait(pause)
                        pause = min(2 * pause, _LONGEST)
                        continue
                    self._trouble = ""
                    pause = _FIRST
                work = self._take(connection)
                if work is not None:
                    connection = self._do(connection, work)
        finally:
            with self._changed:
                self._threads.discard(threading.current_thread())
            close(connection)

    def _is_wanted(self) -> bool:
        """Wait for work; False if the thread is to end."""
        with self._changed:
            while True:
                while self._waiting and self._waiting[0].is_taken:
                    self._waiting.popleft()  # whoever gave up
                if self._waiting:
                    return True
                if self._is_closing:
                    return False
                self._idle += 1
                is_told = self._changed.wait(_IDLE)
                self._idle -= 1
                if not is_told and not self._waiting:
                    self._threads.discard(threading.current_thread())
                    return False

    def _take(self, connection: Connection) -> Work[Any] | None:
        with self._changed:
            while self._waiting:
                work = self._waiting.popleft()
                if not work.is_taken:
                    work.is_taken = True
                    self._running[work] = connection
                    return work
        return None

    def _do(self, connection: Connection, work: Work[Any]) -> Connection | None:
        """One transaction, and its caller is told; the connection, if it is still of use."""
        mode = READING if self._is_reader else WRITING if work.is_synced else HASTY
        try:
            value = run(connection, work.steps, mode, self._clock, lambda: self._may_commit(work))
        except Lost:
            self._put_back(work)
        except Unknown as unknown:
            self._find_out(work, unknown)
        except BaseException as error:  # it is the caller's, whatever it is
            self._end(work, error=error)
            return connection
        else:
            self._end(work, value)
            return connection
        close(connection)
        return None

    def _may_commit(self, work: Work[Any]) -> bool:
        """From here on, its end cannot be stopped; False if its caller gave up, or was cancelled."""
        with self._changed:
            is_wanted = work in self._running
            if is_wanted:
                self._committing.add(work)
            return is_wanted

    def _find_out(self, work: Work[Any], unknown: Unknown) -> None:
        """Ask the server, as soon as it can be reached, whether a transaction was committed."""
        pause = _FIRST
        while self._is_running(work):
            status = None
            with suppress(psycopg.Error), self._connect() as connection:
                found = connection.execute(_STATUS, [unknown.transaction]).fetchone()
                status = found[0] if found is not None else None
            if status == "committed":
                self._end(work, unknown.value)
            elif status == "aborted":
                self._put_back(work)
            else:
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST)
        with self._changed:
            self._committing.discard(work)

    def _is_running(self, work: Work[Any]) -> bool:
        with self._changed:
            return work in self._running

    def _put_back(self, work: Work[Any]) -> None:
        """Nothing of *work* was recorded: it is done before all others, unless its caller gave it up."""
        with self._changed:
            self._committing.discard(work)
            if self._running.pop(work, None) is not None:
                work.is_taken = False
                self._waiting.appendleft(work)
                self._changed.notify()

    def _end(self, work: Work[Any], value: Any = None, error: BaseException | None = None) -> None:
        with self._changed:
            self._committing.discard(work)
            if self._running.pop(work, None) is None:
                return  # its caller was told otherwise
        work.error = error
        work.result = [value]
        tell([work])
