"""Which processes live: each has a session of its own that holds a lock, which the server releases when it ends."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import psycopg

from envelope.gateway.stores.postgresql.connecting import Connection, close

__all__ = ["Nodes"]

_LOOK: Final = 1.0  # seconds between two looks whether the session still is
_PATIENCE: Final = 2.0  # seconds that whoever leaves waits for the server
_LOCK: Final = "SELECT pg_advisory_lock(%s)"
_UNLOCK: Final = "SELECT pg_advisory_unlock(%s)"
# A lock on one number of 64 bits is listed by its halves.
_IS_LOCKED: Final = """
SELECT now() - pg_postmaster_start_time() < make_interval(secs => %s) OR EXISTS (
  SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (classid::bigint << 32) | objid::bigint = %s
)
"""

_SETTLE: Final = "SELECT pg_sleep(greatest(0, %s - extract(epoch FROM now() - pg_postmaster_start_time())))"
_LOCKED: Final = """
SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_BITS: Final = 60


class Nodes:
    """The processes that share one database. A name is a number below 2**60 in hexadecimal, its lock that number.

    After the server was away, or our own session, the others have *grace* seconds to take their locks again.
    """

    def __init__(self, connect: Callable[[], Connection], grace: float) -> None:
        self._connect = connect
        self._grace = grace
        self._lock = threading.Lock()
        self._session: Connection | None = None
        self._number = 0
        self._name = ""
        self._trusted_from = 0.0  # by the monotonic clock
        self._left = threading.Event()
        self._thread: threading.Thread | None = None

    def join(self) -> str:
        """The name of this process; nobody has had it before. `psycopg.Error` if the server cannot be reached."""
        if self._name:  # whoever knows it waits for no server that may not answer
            return self._name
        with self._lock:
            if not self._name:
                self._number = secrets.randbits(_BITS) | 1
                self._session = self._locked()
                self._name = f"{self._number:015x}"
                self._thread = threading.Thread(target=self._stay, name="envelope-node", daemon=True)
                self._thread.start()
        return self._name

    def leave(self) -> None:
        """Give the name up: from here on, the process counts as gone."""
        self._left.set()
        if self._thread is not None:
            # If the server does not answer, it releases the lock when it does, or when the process has ended.
            self._thread.join(_PATIENCE)

    def is_gone(self, name: str) -> bool:
        """Whether no process of that name lives; False while it cannot be told."""
        try:
            number = int(name, 16)
        except ValueError:
            return True
        with self._lock:
            if time.monotonic() < self._trusted_from:
                return False
            try:
                connection = self._session or self._connect()
                found = connection.execute(_IS_LOCKED, [self._grace, number]).fetchone()
                if connection is not self._session:
                    close(connection)
            except psycopg.Error:
                return False
        return found is not None and not found[0]

    def others(self) -> list[str]:
        """The names of the other processes that live. `psycopg.Error` if the server cannot be reached."""
        connection = self._connect()
        try:
            connection.execute(_SETTLE, [self._grace])
            numbers = [number for (number,) in connection.execute(_LOCKED)]
        finally:
            close(connection)
        # Larger numbers are not those of processes.
        return [f"{number:015x}" for number in numbers if 0 < number < 1 << _BITS and number != self._number]

    def _stay(self) -> None:
        """Take the lock again whenever the session was lost, until the process leaves; then release it."""
        while not self._left.wait(_LOOK):
            with self._lock:
                try:
                    if self._session is not None:
                        self._session.execute("SELECT 1")
                        continue
                except psycopg.Error:
                    self._hang_up()
                with suppress(psycopg.Error):
                    self._session = self._locked()
                    self._trusted_from = time.monotonic() + self._grace
        with self._lock:
            if self._session is not None:
                with suppress(psycopg.Error):
                    self._session.execute(_UNLOCK, [self._number])
                self._hang_up()

    def _hang_up(self) -> None:
        if self._session is not None:
            close(self._session)
            self._session = None

    def _locked(self) -> Connection:
        connection = self._connect()
        try:
            connection.execute(_LOCK, [self._number])
        except BaseException:
            close(connection)
            raise
        return connection
