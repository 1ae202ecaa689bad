"""`Workers`: threads that do transactions, each on a connection of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final

import psycopg

from envelope.gateway.stores.errors import StoreUnavailable, StoreUncertain
from envelope.gateway.stores.postgresql.errors import reason_of
from envelope.gateway.stores.postgresql.flushing import Committed, Flusher
from envelope.gateway.stores.postgresql.running import READING, TAKING_LONG, WRITING, Lost, Unknown, run
from envelope.gateway.stores.postgresql.session import Session
from envelope.gateway.stores.work import Work, tell

__all__ = ["Workers"]

_IDLE: Final = 60.0  # seconds, after which a thread and its connection end
_FIRST, _LONGEST = 0.05, 1.0  # seconds between two attempts to connect
_IMPATIENT: Final = "the store did not answer in time"
_CLOSED: Final = "the store is closed"
_STATUS: Final = "SELECT pg_xact_status(CAST(:transaction AS xid8))"


class Workers:
    """At most *most* threads, which *connect* when there is work, and do each transaction by itself.

    While the server cannot be reached, work waits until its caller gives it up. If a connection breaks under a
    transaction, that is done again, unless the server says that it was committed. *clock* is the time of transactions;
    None: the server's.
    """

    def __init__(
        self,
        connect: Callable[[], Session],
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
        self._running: set[Work[Any]] = set()  # what was taken and has no outcome yet
        self._sessions: dict[Work[Any], Session] = {}  # the connection that does it, as long as one does
        self._committing: set[Work[Any]] = set()  # what cannot be stopped any more
        self._changed = threading.Condition(threading.Lock())
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._is_closing = False
        self._closed = threading.Event()
        self._trouble = ""  # why nothing can be done
        self._flusher = Flusher(
            connect, done=lambda group: self._end([each.work for each in group]), lost=self._find_out
        )

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
            if work in self._committing or work not in self._running:
                return False
            self._running.remove(work)
            return True

    def give_up(self, work: Work[Any]) -> None:
        """Tell the caller of *work* that it waited too long, whatever is being done."""
        with self._changed:
            if work.is_taken and work not in self._running:
                return  # it has its outcome
            work.is_taken = True
            self._running.discard(work)
            session = self._sessions.get(work)
            is_known = work not in self._committing
            trouble = self._trouble
        if session is not None:
            session.cut()
        elif not is_known:  # it is committed, and waits for the disk
            self._flusher.cut()
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
        self._flusher.close(max(until - time.monotonic(), 0))
        with self._changed:
            left = [work for work in self._waiting if not work.is_taken]
            for work in left:
                work.is_taken = True
        for work in left:
            work.error = StoreUnavailable(_CLOSED)
        tell(left)

    def _run(self) -> None:
        session: Session | None = None
        pause = _FIRST
        try:
            while self._is_wanted():
                if session is None:
                    try:
                        session = self._connect()
                    except psycopg.Error as error:
                        self._trouble = reason_of(error)
                        pause = self._rest(pause)
                        continue
                work = self._take(session)
                if work is not None:
                    session = self._do(session, work)
                    pause = _FIRST if session is not None else self._rest(pause)
        finally:
            with self._changed:
                self._threads.discard(threading.current_thread())
            if session is not None:
                session.close()

    def _rest(self, pause: float) -> float:
        """Rest before the next attempt to connect; the pause after that."""
        self._closed.wait(pause)
        return min(2 * pause, _LONGEST)

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

    def _take(self, session: Session) -> Work[Any] | None:
        with self._changed:
            while self._waiting:
                work = self._waiting.popleft()
                if not work.is_taken:
                    work.is_taken = True
                    self._running.add(work)
                    self._sessions[work] = session
                    return work
        return None

    def _do(self, session: Session, work: Work[Any]) -> Session | None:
        """One transaction, and its caller is told; the connection, if it is still of use."""
        mode = READING if self._is_reader else TAKING_LONG if work.is_long else WRITING
        try:
            try:
                transaction, value = run(session, work.steps, mode, self._clock, lambda: self._may_commit(work))
            finally:
                with self._changed:
                    del self._sessions[work]
        except Lost as lost:
            self._trouble = str(lost)
            self._put_back(work)
        except Unknown as unknown:
            self._find_out([Committed(work, unknown.value, unknown.transaction, session.server)])
        except BaseException as error:  # it is the caller's, whatever it is
            self._trouble = ""
            self._end([work], error=error)
            return session
        else:
            self._trouble = ""
            work.result = [value]
            if work.is_synced and not self._is_reader:
                self._flusher.put(Committed(work, value, transaction, session.server))
            else:
                self._end([work])
            return session
        session.close()
        return None

    def _may_commit(self, work: Work[Any]) -> bool:
        """From here on, its end cannot be stopped; False if its caller gave up, or was cancelled."""
        with self._changed:
            is_wanted = work in self._running
            if is_wanted:
                self._committing.add(work)
            return is_wanted

    def _find_out(self, doubtful: list[Committed]) -> None:
        """Ask the server, as soon as it can be reached, which of these were committed.

        After a crash it cannot say: it gives the numbers again of what had not reached its disk.
        """
        pause = _FIRST
        while doubtful := [each for each in doubtful if self._is_running(each.work)]:
            try:
                with closing(self._connect()) as session:
                    left = [each for each in doubtful if not self._is_found_out(session, each)]
            except psycopg.Error:
                left = doubtful
            doubtful = left
            if doubtful:
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST)

    def _is_found_out(self, session: Session, doubtful: Committed) -> bool:
        work = doubtful.work
        if session.server != doubtful.server:
            self._end([work], error=StoreUncertain("the store went away while it was written"))
            return True
        [(status,)] = session.execute(_STATUS, {"transaction": doubtful.transaction})
        if status == "committed":
            work.result = [doubtful.value]
            self._flusher.put(doubtful)
        elif status == "aborted":
            self._put_back(work)
        return status in ("committed", "aborted")

    def _is_running(self, work: Work[Any]) -> bool:
        with self._changed:
            return work in self._running

    def _put_back(self, work: Work[Any]) -> None:
        """Nothing of *work* was recorded: it is done before all others, unless its caller gave it up."""
        with self._changed:
            self._committing.discard(work)
            if work in self._running:
                self._running.remove(work)
                work.is_taken = False
                self._waiting.appendleft(work)
                self._changed.notify()

    def _end(self, ended: list[Work[Any]], error: BaseException | None = None) -> None:
        """Tell their callers, unless they were told otherwise."""
        with self._changed:
            self._committing.difference_update(ended)
            told = [work for work in ended if work in self._running]
            self._running.difference_update(told)
        for work in told:
            work.error = error
        tell(told)
