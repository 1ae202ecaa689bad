"""The tables brought up to date, in one transaction; alembic is imported only if there is something to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from envelope.gateway.stores.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

__all__ = ["HEAD", "migrate", "version"]

HEAD: Final = "0002"
"""The newest step."""

_FOLDER = Path(__file__).parent / "migrations"


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
    found = version(connection)
    if found == HEAD:
        return
    if found > HEAD:
        raise StoreError("the store was made by a newer version of this package: upgrade envelope-engine")
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    # The driver would begin no transaction before a change of tables.
    event.listen(engine, "begin", lambda begun: begun.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as begun:
        upgrade(begun)


def upgrade(begun: Connection, step: str = HEAD) -> None:
    """Run what is missing up to *step* on a connection that is in a transaction."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    from envelope.gateway.stores.tables import METADATA

    script = ScriptDirectory(str(_FOLDER))
    missing: Any = lambda found, _: script._upgrade_revs(step, found)  # noqa: E731
    with EnvironmentContext(Config(), script, fn=missing) as environment:
        environment.configure(connection=begun, target_metadata=METADATA)
        environment.run_migrations()
