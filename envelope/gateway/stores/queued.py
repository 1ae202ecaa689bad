"""`QueuedStore`: what stores share whose transactions are done by threads of their own."""

from __future__ import annotations

import asyncio
import os
from abc import abstractmethod
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

from envelope.gateway.stores.errors import StoreUnavailable
from envelope.gateway.stores.patience import Patience
from envelope.gateway.stores.store import Store, Transaction
from envelope.gateway.stores.work import BlockingWork, LoopWork, Queue

__all__ = ["QueuedStore"]

T = TypeVar("T")


class QueuedStore(Store):
    """A store whose transactions *writer* does; *timeout* is the seconds that a transaction waits for its turn."""

    def __init__(self, writer: Queue, timeout: float) -> None:
        self._writer = writer
        self._timeout = timeout
        self._process = os.getpid()
        self._is_closed = False
        self._patience: WeakKeyDictionary[asyncio.AbstractEventLoop, Patience] = WeakKeyDictionary()

    async def write(self, steps: Callable[[Transaction], T], *, synced: bool = True) -> T:
        """Run *steps* as one transaction and return its value once that is durable."""
        self._check()
        return await self._in_turn(self._writer, steps, synced=synced)

    def write_now(self, steps: Callable[[Transaction], T], *, is_long: bool = False) -> T:
        """Run *steps* as one transaction and return its value once that is durable; blocks."""
        self._check()
        work = BlockingWork(steps, is_long=is_long)
        self._writer.put(work)
        try:
            if not work.done.wait(None if is_long else self._timeout):
                self._writer.give_up(work)
                work.done.wait()
        except BaseException:
            self._writer.withdraw(work)
            raise
        return work.value()

    def close(self) -> None:
        """Commit what waits, and let go of everything."""
        if self._is_closed or self._process != os.getpid():
            return
        self._is_closed = True
        self._writer.close(self._timeout)
        self._let_go()

    @abstractmethod
    def _let_go(self) -> None:
        """Close what else is open."""

    async def _in_turn(self, queue: Queue, steps: Callable[[Transaction], T], *, synced: bool) -> T:
        loop = asyncio.get_running_loop()
        work = LoopWork(steps, loop, is_synced=synced)
        queue.put(work)
        patience = self._patience.get(loop)
        if patience is None:
            patience = self._patience[loop] = Patience(self._timeout)
        patience.watch(work, queue.give_up)
        try:
            return await work.outcome
        except asyncio.CancelledError:
            queue.withdraw(work)
            raise

    def _check(self) -> None:
        if self._is_closed:
            raise StoreUnavailable("the store is closed")
        if self._process != os.getpid():
            raise RuntimeError("a store must be opened by the process that uses it, after a fork")
