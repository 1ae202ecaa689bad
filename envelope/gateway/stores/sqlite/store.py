"""`SqliteStore`: the books in a SQLite file, for any number of processes on one machine."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, TypeVar

from envelope.gateway.stores.errors import StoreUnavailable
from envelope.gateway.stores.migrating import HEAD
from envelope.gateway.stores.queued import QueuedStore
from envelope.gateway.stores.sqlite.errors import in_our_words
from envelope.gateway.stores.sqlite.migrating import migrate, version
from envelope.gateway.stores.sqlite.nodes import Nodes
from envelope.gateway.stores.sqlite.transaction import SqliteTransaction
from envelope.gateway.stores.sqlite.turns import Turns
from envelope.gateway.stores.sqlite.writer import Writer
from envelope.gateway.stores.store import Transaction

__all__ = ["SqliteStore", "system_clock"]

T = TypeVar("T")

_STATEMENTS: Final = 256  # that a connection keeps prepared; there are fewer than a hundred


def system_clock() -> int:
    """The Unix time in microseconds."""
    return time.time_ns() // 1000


class SqliteStore(QueuedStore):
    """The books in the file *path*, which is made, with its tables, if it is not there; its owner alone can read it.

    One thread writes. It takes whatever waits, and commits it as one group, so that the disk is asked once for many
    transactions. *timeout* is the seconds that a transaction waits for others to let go of the file.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, timeout: float = 10.0, clock: Callable[[], int] = system_clock
    ) -> None:
        path = Path(os.path.abspath(path))
        self._path = path
        self._timeout = timeout
        self._clock = clock
        self._readers: list[sqlite3.Connection] = []
        turns = Turns(path.with_name(f"{path.name}-turn"))
        self._nodes = Nodes(path.with_name(f"{path.name}-nodes"))
        try:
            # A file that is there is not opened here: to close it would give up the locks of all other stores that this
            # process has on it, and another process could take SQLite's log away from under them.
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
            with in_our_words(), closing(self._connect()) as connection:
                if version(connection) != HEAD:  # otherwise nobody need be waited for
                    with turns:
                        connection.execute("PRAGMA journal_mode = WAL")
                        migrate(connection)
        except OSError as error:
            turns.close()
            raise StoreUnavailable(f"the store's file cannot be opened: {error.strerror}") from None
        except BaseException:
            turns.close()
            raise
        super().__init__(Writer(self._connect, turns, clock), timeout)

    @property
    def node(self) -> str:
        """The name of this process among those that share the store; nobody has had it before."""
        return self._nodes.join()

    def is_gone(self, node: str) -> bool:
        """Whether the process of that name has ended, however it did."""
        return self._nodes.is_gone(node)

    def others(self) -> list[str]:
        """The names of the other gateways' processes that share the store and live."""
        return self._nodes.others()

    async def read(self, steps: Callable[[Transaction], T]) -> T:
        """Run *steps* on a consistent view, in the caller's thread: a look-up takes less time than changing threads."""
        return self.read_now(steps)

    def read_now(self, steps: Callable[[Transaction], T]) -> T:
        """Run *steps* on a consistent view."""
        self._check()
        with in_our_words():
            connection = self._reader()
            try:
                connection.execute("BEGIN")
                value = steps(SqliteTransaction(connection, self._clock()))
                connection.execute("ROLLBACK")
            except BaseException:
                connection.close()
                raise
            self._readers.append(connection)
            if self._is_closed:  # meanwhile, by another thread
                self._close_readers()
        return value

    def _let_go(self) -> None:
        self._close_readers()
        self._nodes.leave()

    def _reader(self) -> sqlite3.Connection:
        try:
            return self._readers.pop()
        except IndexError:
            return self._connect(is_reader=True)

    def _close_readers(self) -> None:
        with suppress(IndexError):
            while True:
                self._readers.pop().close()

    def _connect(self, *, is_reader: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=self._timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS,
        )
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")
            if is_reader:
                connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
        return connection
