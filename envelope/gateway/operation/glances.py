"""What the store says of itself, asked at most once a second, whoever wants to know."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from envelope.gateway.logs import CallLog
    from envelope.gateway.stores.store import Store, Transaction

__all__ = ["Glance", "Glances"]

_FRESH: Final = 1.0
_PATIENCE: Final = 1.0  # seconds, in which a store that can be used has answered
_OPEN: Final = "SELECT count(*), COALESCE(sum(hold), 0) FROM call WHERE state = 'open'"
_JOBS: Final = "SELECT count(*) FROM job WHERE state IN ('queued', 'running')"


@dataclass(frozen=True, slots=True)
class Glance:
    """The calls that are open, the micro-units that they hold, and the image jobs that are not done."""

    open_calls: int
    held: int
    jobs: int


class Glances:
    """Looks at *store*, in a thread of its own, as one that hangs must not stop the event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: Glance | None = None
        self._until = 0.0
        self._looking: asyncio.Task[Glance | None] | None = None

    async def look(self, log: CallLog) -> Glance | None:
        """What the store says, at most a second old; None if it does not within a second."""
        if time.monotonic() < self._until:
            return self._last
        if self._looking is None:  # whoever comes meanwhile waits for the same answer
            self._looking = asyncio.create_task(self._look(log))
            self._looking.add_done_callback(self._looked)
        try:
            return await asyncio.wait_for(asyncio.shield(self._looking), _PATIENCE)
        except TimeoutError:
            return None

    async def _look(self, log: CallLog) -> Glance | None:
        try:
            return await asyncio.to_thread(self._store.read_now, _read)
        except Exception as error:  # whatever it is, the store cannot be used
            log.fault(error)
            return None

    def _looked(self, task: asyncio.Task[Glance | None]) -> None:
        self._looking = None
        self._last = None if task.cancelled() else task.result()
        self._until = time.monotonic() + _FRESH


def _read(db: Transaction) -> Glance:
    [(calls, held)] = db.execute(_OPEN)
    [(jobs,)] = db.execute(_JOBS)
    return Glance(int(calls), int(held), int(jobs))
