"""Which upstream is asked next, when, and for how long: decisions without I/O, on a clock that is passed in.

A *round* asks each upstream once: those awake first, by order and then by weighted chance. Further rounds follow after
a pause that doubles. All times are seconds of one monotonic clock; everything ends at the call's deadline.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from envelope.gateway.upstreams.settings import UpstreamSettings

__all__ = ["MAX_REST", "Attempt", "Plan", "Rests", "Wait"]

MAX_REST: Final = 3600.0
"""The longest rest that an upstream can ask for by `Retry-After`."""

_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 5.0
_INSTANT: Final = 0.001  # less time than this is none


class Attempt(NamedTuple):
    """Ask this upstream: at most ``connect`` seconds for the connection, ``first_byte`` of silence, ``total`` for
    everything."""

    upstream: int
    connect: float
    first_byte: float
    total: float


class Wait(NamedTuple):
    """Do nothing for so many seconds."""

    seconds: float


class Rests:
    """Until when each upstream rests because it failed; shared by all calls of a process."""

    def __init__(self, upstreams: Sequence[UpstreamSettings]) -> None:
        self._seconds = [upstream.rest for upstream in upstreams]
        self._until = [0.0] * len(upstreams)
        self._begun = [0.0] * len(upstreams)

    def begin(self, upstream: int, now: float, retry_after: float | None = None) -> None:
        """Let *upstream* rest from *now* on, and for as long as it asked to."""
        until = now + max(self._seconds[upstream], min(retry_after or 0.0, MAX_REST))
        self._until[upstream] = max(until, self._until[upstream])
        self._begun[upstream] = now

    def end(self, upstream: int, asked: float) -> None:
        """*upstream* has answered what it was *asked* at that time; before its last failure, that says nothing."""
        if asked >= self._begun[upstream]:
            self._until[upstream] = 0.0

    def until(self, upstream: int, now: float) -> float:
        """When it wakes; 0 if it is awake."""
        until = self._until[upstream]
        return until if until > now else 0.0


class Plan:
    """One call: `next` says what to do, `failed` is told what came of it; who succeeds just stops asking."""

    def __init__(
        self,
        upstreams: Sequence[UpstreamSettings],
        rests: Rests,
        *,
        deadline: float,
        retries: int,
        random: Callable[[], float],
    ) -> None:
        self._upstreams = upstreams
        self._rests = rests
        self._deadline = deadline
        self._rounds_left = retries
        self._random = random
        self._pause = _FIRST_PAUSE
        self._start = 0.0
        self._not_before: dict[int, float] = {}
        self._untried = self._chances()

    def next(self, now: float) -> Attempt | Wait | None:
        """The next attempt, or how long to wait before asking again; None if there is nothing more to do."""
        left = self._deadline - now
        if left < _INSTANT:
            return None
        if not self._untried and not self._begin_round(now):
            return None
        ready = [upstream for upstream in self._untried if self._earliest(upstream) <= now]
        if not ready:
            seconds = min(map(self._earliest, self._untried)) - now
            return Wait(seconds) if seconds < left - _INSTANT else None
        chosen = ready[0] if len(ready) == 1 else min(ready, key=lambda upstream: self._rank(upstream, now))
        del self._untried[chosen]
        times = self._upstreams[chosen]
        return Attempt(chosen, min(times.connect, left), min(times.first_byte, left), min(times.total, left))

    def failed(self, upstream: int, now: float, *, retry_after: float | None = None) -> None:
        """An attempt failed, another may mend it; *upstream* asked not to be called for *retry_after* seconds."""
        if retry_after is not None:
            self._not_before[upstream] = now + retry_after

    def _begin_round(self, now: float) -> bool:
        if not self._rounds_left:
            return False
        self._rounds_left -= 1
        self._start = now + self._pause * (0.5 + self._random() / 2)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self._untried = self._chances()
        return True

    def _chances(self) -> dict[int, float]:
        """For each upstream the time at which it would come first, if each came at random at the rate of its weight."""
        if len(self._upstreams) == 1:
            return {0: 0.0}
        return {
            index: -math.log(1.0 - self._random()) / upstream.weight for index, upstream in enumerate(self._upstreams)
        }

    def _earliest(self, upstream: int) -> float:
        return max(self._start, self._not_before.get(upstream, 0.0))

    def _rank(self, upstream: int, now: float) -> tuple[float, int, float]:
        return (self._rests.until(upstream, now), self._upstreams[upstream].order, self._untried[upstream])
