"""The tables in PostgreSQL brought up to date, in one transaction, by one process at a time."""

from __future__ import annotations

from typing import Final

from envelope.gateway.stores.migrating import is_newest, upgrade
from envelope.gateway.stores.postgresql.connecting import Connection

__all__ = ["migrate"]

_IS_THERE: Final = "SELECT to_regclass('alembic_version') IS NOT NULL"
_VERSION: Final = "SELECT version_num FROM alembic_version"
_TURN: Final = "SELECT pg_advisory_xact_lock(%s)"
_NUMBER: Final = 0x656E76656C6F7065  # "envelope", so that it is nobody else's lock


def migrate(connection: Connection) -> None:
    """Bring the tables of *connection*, which is in autocommit mode, to `HEAD`; all of it or nothing.

    Raises `StoreError` if they were made by a newer version of this package.
    """
    if is_newest(_version(connection)):
        return
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import StaticPool

    engine = create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=StaticPool)
    event.listen(engine, "begin", lambda begun: begun.exec_driver_sql("BEGIN"))
    with engine.begin() as begun:
        connection.execute(_TURN, [_NUMBER])
        if not is_newest(_version(connection)):  # another process may have brought it up to date meanwhile
            upgrade(begun)


def _version(connection: Connection) -> str:
    is_there = connection.execute(_IS_THERE).fetchone()
    found = connection.execute(_VERSION).fetchone() if is_there is not None and is_there[0] else None
    return "" if found is None else str(found[0])
