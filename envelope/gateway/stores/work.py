"""What waits to be done in a store: one transaction, and the caller who is told what became of it."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

from envelope.gateway.stores.store import Transaction

__all__ = ["BlockingWork", "LoopWork", "Queue", "Work", "tell"]

T = TypeVar("T")


class Work(ABC, Generic[T]):
    """One transaction that waits, runs, or has its outcome; one that *is_long* may take its time."""

    __slots__ = ("error", "is_long", "is_synced", "is_taken", "result", "steps")

    def __init__(self, steps: Callable[[Transaction], T], *, is_synced: bool, is_long: bool = False) -> None:
        self.steps = steps
        self.is_synced = is_synced
        self.is_long = is_long
        self.is_taken = False
        self.result: list[T] = []  # one value, once there is one
        self.error: BaseException | None = None

    @abstractmethod
    def tell(self) -> None:
        """Tell the caller that there is a result or an error."""


class BlockingWork(Work[T]):
    """The caller is a thread that waits for ``done``."""

    __slots__ = ("done",)

    def __init__(self, steps: Callable[[Transaction], T], *, is_long: bool = False) -> None:
        super().__init__(steps, is_synced=True, is_long=is_long)
        self.done = threading.Event()

    def tell(self) -> None:
        """Wake the thread."""
        self.done.set()

    def value(self) -> T:
        """The result; an error is raised."""
        if self.error is not None:
            raise self.error
        return self.result[0]


class LoopWork(Work[T]):
    """The caller is a task that awaits ``outcome``."""

    __slots__ = ("loop", "outcome")

    def __init__(
        self, steps: Callable[[Transaction], T], loop: asyncio.AbstractEventLoop, *, is_synced: bool = True
    ) -> None:
        super().__init__(steps, is_synced=is_synced)
        self.loop = loop
        self.outcome: asyncio.Future[T] = loop.create_future()

    def tell(self) -> None:
        """Settle the future; in the loop's own thread."""
        if self.outcome.done():  # cancelled
            return
        if self.error is None:
            self.outcome.set_result(self.result[0])
        elif isinstance(self.error, StopIteration):  # which no future takes
            self.outcome.set_exception(RuntimeError("a transaction raised StopIteration"))
        else:
            self.outcome.set_exception(self.error)


class Queue(Protocol):
    """Does what it is given, in threads of its own."""

    def put(self, work: Work[Any]) -> None:
        """Have *work* done. `StoreUnavailable` if the queue is closed."""

    def withdraw(self, work: Work[Any]) -> bool:
        """Take *work* back; False if it is too late for that."""

    def give_up(self, work: Work[Any]) -> None:
        """Tell the caller of *work* that it waited too long."""

    def close(self, timeout: float) -> None:
        """Do what waits, within *timeout* seconds, and end."""


def tell(group: Iterable[Work[Any]]) -> None:
    """Tell the callers of a whole group, each event loop once."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[Work[Any]]] = defaultdict(list)
    for work in group:
        if isinstance(work, LoopWork):
            by_loop[work.loop].append(work)
        else:
            work.tell()
    for loop, told in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_tell_each, told)


def _tell_each(told: list[Work[Any]]) -> None:
    for work in told:
        work.tell()
