"""The kinds of stores: whatever a test asks of `store` holds for each of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from envelope.gateway.stores.sqlite import SqliteStore
from envelope.gateway.stores.store import Store

START = 1_800_000_000_000_000


class Clock:
    """A store's clock that a test sets, in microseconds."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def step(self, seconds: float) -> None:
        self.now += round(seconds * 1_000_000)


class Sqlite:
    """Books in a file below *folder*, without tables yet if *empty*."""

    def __init__(self, folder: Path, *, empty: bool = False) -> None:
        path = folder / "gateway.db"
        path.write_bytes(b"" if empty else _template())
        self.address = str(path)

    def open(self, clock: Callable[[], int] | None = None, timeout: float = 10.0) -> Store:
        """The same books once more, as another process would open them."""
        return SqliteStore(self.address, timeout=timeout, **({} if clock is None else {"clock": clock}))


KINDS = {"sqlite": Sqlite}


@cache
def _template() -> bytes:
    """A new file with its tables: a copy is quicker than to make them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gateway.db"
        SqliteStore(path).close()
        return path.read_bytes()
