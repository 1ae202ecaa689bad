"""`Flusher`: waits for the disk, once for all transactions that were committed meanwhile.

A COMMIT that waits for the disk keeps its rows locked until then, and all calls of an account lock the same row: they
would wait for the disk one after the other. So transactions are committed without it, which lets go of the rows, and a
later commit that waits, of a message that nobody reads, makes sure of all before it, on standbys too if there are any
that the server waits for. Their callers are told only then.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from envelope.gateway.stores.postgresql.session import Session
from envelope.gateway.stores.work import Work

__all__ = ["Committed", "Flusher"]

_FLUSH: Final = "SELECT pg_logical_emit_message(true, 'envelope', '')"


@dataclass(frozen=True, slots=True)
class Committed:
    """A transaction that was committed: its work and value, its number, and which server it was on."""

    work: Work[Any]
    value: Any
    transaction: str
    server: str


class Flusher:
    """One thread, which calls *done* with what is on the disk, and *lost* with what may not be."""

    def __init__(
        self,
        connect: Callable[[], Session],
        *,
        done: Callable[[list[Committed]], None],
        lost: Callable[[list[Committed]], None],
    ) -> None:
        self._connect = connect
        self._done = done
        self._lost = lost
        self._session: Session | None = None
        self._waiting: list[Committed] = []
        self._changed = threading.Condition(threading.Lock())
        self._is_closing = False
        self._thread: threading.Thread | None = None

    def put(self, committed: Committed) -> None:
        """See to it that *committed* gets onto the disk."""
        with self._changed:
            self._waiting.append(committed)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="envelope-flush", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self, timeout: float) -> None:
        """Do what waits, within *timeout* seconds, and end."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)

    def cut(self) -> None:
        """End the connection under the thread, which waits for a server that does not answer."""
        session = self._session
        if session is not None:
            session.cut()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._waiting or self._is_closing):
                    self._changed.wait()
                group, self._waiting = self._waiting, []
            if not group:
                break
            try:
                self._flush({committed.server for committed in group})
            except psycopg.Error:
                self._hang_up()
                self._lost(group)
            else:
                self._done(group)
        self._hang_up()

    def _flush(self, servers: set[str]) -> None:
        """Wait for the disk. `psycopg.Error` if it is not that of all *servers*."""
        if self._session is None:
            self._session = self._connect()
        if servers != {self._session.server}:
            raise psycopg.OperationalError("another server by now")
        self._session.run(_FLUSH)

    def _hang_up(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with closing(session):
                pass
