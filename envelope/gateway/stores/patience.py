"""`Patience`: whoever waits too long for a transaction is told so, with one timer for all that wait in one loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from envelope.gateway.stores.writer import LoopWork

__all__ = ["Patience"]


class Patience:
    """Calls *give_up* for work that has no outcome after *seconds*; in the loop of whoever waits."""

    def __init__(self, seconds: float, give_up: Callable[[LoopWork[Any]], None]) -> None:
        self._seconds = seconds
        self._give_up = give_up
        self._watched: deque[tuple[float, LoopWork[Any]]] = deque()  # the oldest first
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, work: LoopWork[Any]) -> None:
        """See to *work* until it has an outcome."""
        watched = self._watched
        while watched and watched[0][1].outcome.done():
            watched.popleft()
        watched.append((work.loop.time() + self._seconds, work))
        if self._timer is None:
            self._timer = work.loop.call_later(self._seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        watched = self._watched
        while watched:
            until, work = watched[0]
            if not work.outcome.done():
                if until > work.loop.time():
                    self._timer = work.loop.call_at(until, self._look)
                    return
                self._give_up(work)
            watched.popleft()
