"""`open_store`: a store by its address."""

from __future__ import annotations

import os

from envelope.gateway.stores.sqlite import SqliteStore
from envelope.gateway.stores.store import Store

__all__ = ["open_store"]


def open_store(address: str | os.PathLike[str], *, timeout: float = 10.0) -> Store:
    """The store at *address*, the path of a SQLite file; it is made if it is not there, and migrated if it is older.

    *timeout* is the seconds that a transaction waits for others. Raises `StoreUnavailable` if the file cannot be
    opened, `StoreError` if a newer version of this package made it.
    """
    return SqliteStore(address, timeout=timeout)
