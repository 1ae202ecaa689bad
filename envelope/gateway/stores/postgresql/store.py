"""`PostgresStore`: the books in a PostgreSQL database, for any number of processes on any number of machines."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import psycopg

from envelope.gateway.stores.errors import StoreUnavailable
from envelope.gateway.stores.postgresql.connecting import as_writer, check_server, connect, options_of
from envelope.gateway.stores.postgresql.errors import reason_of
from envelope.gateway.stores.postgresql.migrating import migrate
from envelope.gateway.stores.postgresql.nodes import Nodes
from envelope.gateway.stores.postgresql.running import READING, Lost, run
from envelope.gateway.stores.postgresql.session import Session
from envelope.gateway.stores.postgresql.workers import Workers
from envelope.gateway.stores.queued import QueuedStore
from envelope.gateway.stores.store import Transaction

__all__ = ["PostgresStore"]

T = TypeVar("T")

_WRITERS: Final = 4  # connections of a process at most
_READERS: Final = 2


class PostgresStore(QueuedStore):
    """The books in the database at *address*, ``postgresql://…``; its tables are made if they are not there.

    Each transaction has a connection to itself, of a few that a process opens when there is work and closes when there
    is none. *timeout* is the seconds that a transaction waits: for the server, if that cannot be reached, and for
    others. The time is the server's, so that all machines have the same, unless there is a *clock*. *grace* is the
    seconds that other processes have to show that they live after the server was away.
    """

    def __init__(
        self, address: str, *, timeout: float = 10.0, clock: Callable[[], int] | None = None, grace: float = 5.0
    ) -> None:
        self._clock = clock
        options = options_of(address, timeout=timeout)
        self._options = options
        self._idle: list[Session] = []
        try:
            with connect(options) as connection:
                check_server(connection)
                migrate(connection)
        except psycopg.Error as error:
            raise StoreUnavailable(reason_of(error)) from None
        self._nodes = Nodes(partial(connect, options), grace)
        self._readers = Workers(self._connect, clock, most=_READERS, is_reader=True)
        super().__init__(Workers(self._connect_writer, clock, most=_WRITERS), timeout)

    @property
    def node(self) -> str:
        """The name of this process among those that share the store; nobody has had it before."""
        try:
            return self._nodes.join()
        except psycopg.Error as error:
            raise StoreUnavailable(reason_of(error)) from None

    def is_gone(self, node: str) -> bool:
        """Whether the process of that name has ended, however it did."""
        return self._nodes.is_gone(node)

    def others(self) -> list[str]:
        """The names of the other gateways' processes that share the store and live."""
        try:
            return self._nodes.others()
        except psycopg.Error as error:
            raise StoreUnavailable(reason_of(error)) from None

    async def read(self, steps: Callable[[Transaction], T]) -> T:
        """Run *steps* on a consistent view."""
        self._check()
        return await self._in_turn(self._readers, steps, synced=True)

    def read_now(self, steps: Callable[[Transaction], T]) -> T:
        """Run *steps* on a consistent view, on a connection of its own."""
        self._check()
        while self._idle:
            try:
                return self._read_on(self._idle.pop(), steps)
            except (Lost, IndexError):  # it was idle for too long, or another thread took the last
                continue
        try:
            return self._read_on(self._connect(), steps)
        except Lost:
            raise StoreUnavailable("the store cannot be reached") from None
        except psycopg.OperationalError as error:
            raise StoreUnavailable(reason_of(error)) from None

    def _connect(self) -> Session:
        return Session(connect(self._options))

    def _connect_writer(self) -> Session:
        return Session(connect(as_writer(self._options)))

    def _read_on(self, session: Session, steps: Callable[[Transaction], T]) -> T:
        try:
            _, value = run(session, steps, READING, self._clock)
        except BaseException:
            session.close()
            raise
        self._idle.append(session)
        if self._is_closed:  # meanwhile, by another thread
            self._let_go()
        return value

    def _let_go(self) -> None:
        self._readers.close(self._timeout)
        while self._idle:
            self._idle.pop().close()
        self._nodes.leave()
