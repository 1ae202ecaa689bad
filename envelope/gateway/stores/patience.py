"""`Patience`: whoever waits too long for a transaction is told so, with one timer for all that wait in one loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from envelope.gateway.stores.work import LoopWork

__all__ = ["Patience"]

GiveUp: TypeAlias = Callable[[LoopWork[Any]], None]


class Patience:
    """Gives work up that has no outcome after *seconds*, in the loop of whoever waits."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._watched: deque[tuple[float, LoopWork[Any], GiveUp]] = deque()  # the oldest first
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, work: LoopWork[Any], give_up: GiveUp) -> None:
        """See to *work* until it has an outcome; *give_up* is called if that takes too long."""
        watched = self._watched
        while watched and watched[0][1].outcome.done():
            watched.popleft()
        watched.append((work.loop.time() + self._seconds, work, give_up))
        if self._timer is None:
            self._timer = work.loop.call_later(self._seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        watched = self._watched
        while watched:
            until, work, give_up = watched[0]
            if not work.outcome.done():
                if until > work.loop.time():
                    self._timer = work.loop.call_at(until, self._look)
                    return
                give_up(work)
            watched.popleft()
