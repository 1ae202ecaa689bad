"""Connections to the database of a store, all of the same settings."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict

from envelope.gateway.stores.errors import StoreError

__all__ = ["Connection", "as_writer", "close", "connect", "options_of"]

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

# A peer that vanished without a word is found out in half a minute, by us and by the server, which then releases what
# the connection had locked.
_ALIVE: Final = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
_SERVER: Final = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
# A process that is stopped amid a transaction, or cut off while its system still answers, is not in others' way for
# long, either: the server ends its sessions, one after the other as each gets what it waits for, and they begin anew if
# it ever goes on. Who only reads, or migrates, may take its time.
_WRITER: Final = "-c idle_in_transaction_session_timeout=1000"


def options_of(address: str, *, timeout: float) -> dict[str, Any]:
    """What `connect` is given for *address*; it wins over ours. `StoreError` if it is not an address."""
    try:
        given = conninfo_to_dict(address)
    except psycopg.ProgrammingError:  # whose text has the address
        raise StoreError("not the address of a PostgreSQL database: postgresql://user@host/database") from None
    server = f"{_SERVER} -c lock_timeout={round(timeout * 1000)} {given.pop('options', '')}"
    return {"connect_timeout": max(2, round(timeout / 2)), "application_name": "envelope", **_ALIVE, **given,
            "options": server}  # fmt: skip


def as_writer(options: dict[str, Any]) -> dict[str, Any]:
    """The same, for connections that lock rows which others wait for."""
    return {**options, "options": f"{_WRITER} {options['options']}"}


def connect(options: dict[str, Any]) -> Connection:
    """A new connection in autocommit mode; `psycopg.Error` if there is none."""
    return psycopg.connect(**options, autocommit=True)


def close(connection: Connection) -> None:
    """Close *connection*, however broken it is."""
    with suppress(psycopg.Error):
        connection.close()
