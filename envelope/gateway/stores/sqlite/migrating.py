"""The tables in SQLite brought up to date, in one transaction."""

from __future__ import annotations

import sqlite3

from envelope.gateway.stores.migrating import is_newest, upgrade

__all__ = ["migrate", "version"]


def version(connection: sqlite3.Connection) -> str:
    """The step that the tables are at; ``""`` if there are none."""
    try:
        rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:  # which is what a missing table is
            raise
        return ""
    return str(rows[0][0]) if rows else ""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables of *connection*, which is in autocommit mode, to `HEAD`; all of it or nothing.

    Raises `StoreError` if they were made by a newer version of this package.
    """
    if is_newest(version(connection)):
        return
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    # The driver would begin no transaction before a change of tables.
    event.listen(engine, "begin", lambda begun: begun.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as begun:
        upgrade(begun)
