"""What every store promises: durable transactions, each whole or not at all, and views that writers do not disturb."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

__all__ = ["Store", "Transaction"]

T = TypeVar("T")


class Transaction(Protocol):
    """One transaction, for as long as the function that got it runs."""

    @property
    def now(self) -> int:
        """The store's clock when the transaction began: Unix time in microseconds."""

    def execute(self, sql: str, /, **values: object) -> list[tuple[Any, ...]]:
        """Run one statement; its rows, or those that it returns. Parameters are named, as in ``:name``.

        The text should be a constant: statements are prepared once for each. Raises `Conflict` if a row breaks a rule
        of its table.
        """


class Store(ABC):
    """Transactions on the gateway's books, for any number of tasks, threads and processes.

    A transaction is a function of a `Transaction`. It may be run more than once if others are in its way, so it changes
    nothing but the store; what it raises undoes it, alone, and is raised to its caller.
    """

    @property
    @abstractmethod
    def node(self) -> str:
        """The name of this process among those that share the store; nobody has had it before."""

    @abstractmethod
    def is_gone(self, node: str) -> bool:
        """Whether the process of that name has ended, however it did. True only if it surely has."""

    @abstractmethod
    def others(self) -> list[str]:
        """The names of the other processes that share the store and live: those that ever asked for their `node`."""

    @abstractmethod
    async def write(self, steps: Callable[[Transaction], T], *, synced: bool = True) -> T:
        """Run *steps* as one transaction and return its value once that is durable.

        Unless *synced*, it is not forced onto the disk: it outlives the process, but only a later one that is synced
        makes sure that it outlives a power failure. It is there for all others at once, and is much faster.
        Raises `StoreUnavailable` if nothing could be recorded, `StoreUncertain` if the store did not say whether it
        was. A caller that is cancelled does not know either.
        """

    @abstractmethod
    async def read(self, steps: Callable[[Transaction], T]) -> T:
        """Run *steps*, a few short look-ups, on a consistent view of what is durable; it does not wait for writers.

        What takes long belongs to `read_now`, in a thread.
        """

    @abstractmethod
    def write_now(self, steps: Callable[[Transaction], T], *, is_long: bool = False) -> T:
        """The same as `write`, blocking; if it *is_long*, as long as it takes."""

    @abstractmethod
    def read_now(self, steps: Callable[[Transaction], T]) -> T:
        """The same as `read`, blocking, and as long as it takes."""

    @abstractmethod
    def close(self) -> None:
        """Finish what was begun, and let go of everything. Closing again does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
