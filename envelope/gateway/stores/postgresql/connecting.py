"""Connections to the database of a store, all of the same settings."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict

from envelope.gateway.stores.errors import StoreError

__all__ = ["Connection", "as_writer", "check_server", "close", "connect", "options_of"]

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

# A peer that vanished without a word is found out in half a minute, by us and by the server, which then releases what
# the connection had locked.
_ALIVE: Final = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
_SERVER: Final = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
# A process that is stopped amid a transaction, or cut off while its system still answers, is not in others' way for
# long, either: the server ends its sessions, one after the other as each gets what it waits for, and they begin anew if
# it ever goes on. Who only reads, or migrates, may take its time.
_WRITER: Final = "-c idle_in_transaction_session_timeout=1000"

_NO_ADDRESS: Final = (
    "not the address of a PostgreSQL database, as postgresql://user:password@host/database is, "
    "in which an @ within a password is written as %40, a / as %2F, and a % as %25"
)
_NEEDED: Final = ["pg_advisory_lock", "pg_advisory_unlock", "pg_advisory_xact_lock", "pg_logical_emit_message"]
_WHO: Final = """
SELECT pg_backend_pid(), min(proname) FILTER (WHERE NOT has_function_privilege(oid, 'EXECUTE'))
FROM pg_proc WHERE proname = ANY(%s) AND pronamespace = 'pg_catalog'::regnamespace
"""


def options_of(address: str, *, timeout: float) -> dict[str, Any]:
    """What `connect` is given for *address*; it wins over ours. `StoreError` if it is not an address."""
    try:
        given = conninfo_to_dict(address)
    except psycopg.ProgrammingError:  # whose text has the address
        raise StoreError(_NO_ADDRESS) from None
    # With an @ or a / in a password, a part of that would be the host or the port, which are shown.
    if "@" in str(given.get("host", ""))[1:] or not all(map(_is_port, str(given.get("port", "")).split(","))):
        raise StoreError(_NO_ADDRESS)
    server = f"{_SERVER} -c lock_timeout={round(timeout * 1000)} {given.pop('options', '')}"
    return {"connect_timeout": max(2, round(timeout / 2)), "application_name": "envelope", **_ALIVE, **given,
            "options": server}  # fmt: skip


def as_writer(options: dict[str, Any]) -> dict[str, Any]:
    """The same, for connections that lock rows which others wait for."""
    return {**options, "options": f"{_WRITER} {options['options']}"}


def connect(options: dict[str, Any]) -> Connection:
    """A new connection in autocommit mode; `psycopg.Error` if there is none."""
    return psycopg.connect(**options, autocommit=True)


def check_server(connection: Connection) -> None:
    """`StoreError` unless *connection* is one with a server, whose user may do what a gateway needs.

    A pooler, which numbers its clients itself, drops what sessions set, and may give one's locks to another.
    """
    [(number, forbidden)] = connection.execute(_WHO, [_NEEDED]).fetchall()
    if number != connection.info.backend_pid:
        raise StoreError("a pooler answers there: a gateway needs connections to the PostgreSQL server itself")
    if forbidden is not None:
        raise StoreError(f"the store's user may not call {forbidden}: GRANT EXECUTE ON FUNCTION")


def _is_port(text: str) -> bool:
    return not text or (text.isdecimal() and len(text) < 6 and 0 < int(text) < 65536)  # nothing: libpq's own


def close(connection: Connection) -> None:
    """Close *connection*, however broken it is."""
    with suppress(psycopg.Error):
        connection.close()
