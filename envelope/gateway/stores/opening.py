"""`open_store`: a store by its address."""

from __future__ import annotations

import os

from envelope.gateway.stores.addresses import is_postgresql
from envelope.gateway.stores.errors import StoreError
from envelope.gateway.stores.sqlite.store import SqliteStore
from envelope.gateway.stores.store import Store

__all__ = ["open_store"]


def open_store(address: str | os.PathLike[str], *, timeout: float = 10.0) -> Store:
    """The store at *address*: the path of a SQLite file, which is made if it is not there, or ``postgresql://…``.

    Its tables are made, or migrated if they are older. *timeout* is the seconds that a transaction waits for others,
    and for a server that cannot be reached. Raises `StoreUnavailable` if it cannot be opened, `StoreError` if a newer
    version of this package made it, or what is needed for it is not installed.
    """
    if not is_postgresql(address):
        return SqliteStore(address, timeout=timeout)
    try:
        from envelope.gateway.stores.postgresql.store import PostgresStore
    except ImportError:
        raise StoreError("PostgreSQL needs psycopg: python -m pip install 'envelope-engine[postgresql]'") from None
    return PostgresStore(os.fspath(address), timeout=timeout)
