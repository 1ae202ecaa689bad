"""Connections to the database of a store, all of the same settings."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any, Final, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper

from envelope.gateway.stores.errors import StoreError

__all__ = ["Connection", "close", "connect", "cut", "options_of"]

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

_STATEMENTS: Final = 256  # that a connection keeps prepared; there are fewer than a hundred
# A peer that vanished without a word is found out in half a minute, by us and by the server, which then releases what
# the connection had locked.
_ALIVE: Final = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
_SERVER: Final = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"


def options_of(address: str, *, timeout: float) -> dict[str, Any]:
    """What `connect` is given for *address*; it wins over ours. `StoreError` if it is not an address."""
    try:
        given = conninfo_to_dict(address)
    except psycopg.ProgrammingError:  # whose text has the address
        raise StoreError("not the address of a PostgreSQL database: postgresql://user@host/database") from None
    server = f"{_SERVER} -c lock_timeout={round(timeout * 1000)} {given.pop('options', '')}"
    return {"connect_timeout": max(2, round(timeout / 2)), "application_name": "envelope", **_ALIVE, **given,
            "options": server}  # fmt: skip


def connect(options: dict[str, Any]) -> Connection:
    """A new connection in autocommit mode; `psycopg.Error` if there is none."""
    connection: Connection = psycopg.connect(**options, autocommit=True, prepare_threshold=0)
    connection.prepared_max = _STATEMENTS
    # Otherwise a number's size would choose its type, and a statement be prepared for each.
    connection.adapters.register_dumper(int, Int8Dumper)
    return connection


def cut(connection: Connection) -> None:
    """End *connection* under a thread that waits for the server."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as shared:
        shared.shutdown(socket.SHUT_RDWR)


def close(connection: Connection | None) -> None:
    """Close *connection*, however broken it is."""
    if connection is not None:
        with suppress(psycopg.Error):
            connection.close()
