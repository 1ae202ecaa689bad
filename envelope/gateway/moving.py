"""Books carried to another store, and saved in a file: copied whole, and audited before they count."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from envelope.gateway.books.auditing import Breach, audit
from envelope.gateway.stores.copying import Figures, copy_books, figures_of
from envelope.gateway.stores.errors import StoreError, StoreUnavailable
from envelope.gateway.stores.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Store, Transaction
    from envelope.registry.codes import CodeRegistry

__all__ = ["at_rest", "back_up", "move"]

_BROKEN: Final = "the books break their rules (envelope gateway audit shows where): nothing was moved"


def at_rest(store: Store) -> Figures:
    """What is in a store that no other process uses; `StoreError` if one does."""
    others = len(store.others())
    if others:
        raise StoreError(f"{others} processes use the books: end the gateway first")
    return store.read_now(figures_of)


def move(source: Store, target: Store, *, registry: CodeRegistry, told: Callable[[int, int], None]) -> Figures:
    """Carry the books of *source*, which stay as they are, into *target*, which must be empty; what was carried.

    *told* hears how many rows are done, of how many. Nothing is moved, and `StoreError` raised, while another process
    uses *source*, if it changes meanwhile, or if the books break a rule of theirs, on either side.
    """
    before = at_rest(source)
    if source.read_now(lambda db: audit(db, registry)):
        raise StoreError(_BROKEN)

    def check(db: Transaction) -> None:
        if audit(db, registry):
            raise StoreError(_BROKEN)
        if not figures_of(db) == before == at_rest(source):
            raise StoreError("the books changed while they were copied: nothing was moved")

    return copy_books(source, target, told=told, checked=check)


def back_up(
    source: Store, path: Path, *, registry: CodeRegistry, told: Callable[[int, int], None]
) -> tuple[Figures, list[Breach]]:
    """Save the books of *source*, as they are at one moment, in the new file *path*; what was saved, and its breaches.

    They are in a hidden folder beside it until they are whole. `FileExistsError` if there is such a file already,
    `StoreError` or `OSError` if it cannot be written.
    """
    if path.exists():
        raise FileExistsError(None, "there is such a file already", str(path))
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.absolute().parent) as folder:
        hidden = Path(folder) / "gateway.db"
        with SqliteStore(hidden) as copy:
            figures = copy_books(source, copy, told=told)
            found = copy.read_now(lambda db: audit(db, registry))
        if hidden.with_name("gateway.db-wal").exists():
            raise StoreUnavailable("the copy could not be closed")
        os.link(hidden, path)  # which replaces nothing
    _sync(path.absolute().parent)
    return figures, found


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
