"""Which address is tried next, when, and for how long: decisions without I/O, on a clock that is passed in.

A *round* tries each address once. Further rounds follow after a pause that doubles. All times are seconds of one
monotonic clock; everything ends at the deadline, so that no time-outs add up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["Attempt", "FailOver", "Plan", "Rests", "Wait"]

FailOver = Literal["always", "unsent"]
"""``always``: the next attempt follows any failure that another may mend. ``unsent``: only while nothing was sent."""

CONNECT: Final = 5.0
"""The longest that one attempt waits for a connection."""

_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 5.0
_INSTANT: Final = 0.001  # less time than this is none


@dataclass(frozen=True, slots=True)
class Attempt:
    """Call this address: at most ``connect`` seconds for the connection, ``total`` for everything."""

    address: int
    connect: float
    total: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for so many seconds."""

    seconds: float


class Rests:
    """Until when each address rests because it failed; shared by all calls of a client, from any thread."""

    def __init__(self, addresses: int, seconds: float) -> None:
        self._seconds = seconds
        self._until = [0.0] * addresses

    def begin(self, address: int, now: float) -> None:
        """Let *address* rest from *now* on."""
        self._until[address] = now + self._seconds

    def end(self, address: int) -> None:
        """*address* has answered."""
        self._until[address] = 0.0

    def rank(self, address: int, now: float) -> tuple[float, int]:
        """Sorts addresses: those awake first, in their order, then those at rest, the longest at rest first."""
        until = self._until[address]
        return (until if until > now else 0.0, address)


class Plan:
    """One call: `next` says what to do, `failed` is told what came of it; who succeeds just stops asking.

    An address at rest is tried after all others. With *fallback* (an old answer would do) there is one round only.
    """

    def __init__(
        self,
        rests: Rests,
        addresses: int,
        *,
        deadline: float,
        retries: int,
        failover: FailOver,
        fallback: bool,
        random: Callable[[], float],
    ) -> None:
        self._rests = rests
        self._deadline = deadline
        self._rounds_left = 0 if fallback else retries
        self._failover = failover
        self._random = random
        self._untried = set(range(addresses))
        self._not_before = [0.0] * addresses
        self._pause = _FIRST_PAUSE
        self._is_over = False

    def next(self, now: float) -> Attempt | Wait | None:
        """The next attempt, or how long to wait before asking again; None if there is nothing more to do."""
        left = self._deadline - now
        if self._is_over or left < _INSTANT:
            return None
        if not self._untried and not self._begin_round(now):
            return None
        ready = [address for address in self._untried if self._not_before[address] <= now]
        if not ready:
            seconds = min(self._not_before[address] for address in self._untried) - now
            return Wait(seconds) if seconds < left - _INSTANT else None
        address = min(ready, key=lambda address: self._rests.rank(address, now))
        # Each address still to be tried gets its share of the time, so that a silent one does not use all of it.
        share = left / len(self._untried)
        self._untried.remove(address)
        # What was sent is not sent again: then there is nobody to leave time for.
        total = left if self._failover == "unsent" else share
        # Less for the connection than for all: if there is none, it shall be known that nothing was sent.
        return Attempt(address, min(0.9 * share, CONNECT), total)

    def _begin_round(self, now: float) -> bool:
        if not self._rounds_left:
            return False
        self._rounds_left -= 1
        start = now + self._pause * (0.5 + self._random() / 2)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self._not_before = [max(start, earliest) for earliest in self._not_before]
        self._untried = set(range(len(self._not_before)))
        return True

    def failed(
        self, address: int, now: float, *, sent: bool, mendable: bool, rest: bool, retry_after: float | None = None
    ) -> None:
        """An attempt failed: whether it was *sent*, whether another attempt may mend it, whether the address shall
        *rest*, and for how many seconds it asked not to be called."""
        if not mendable or (sent and self._failover == "unsent"):
            self._is_over = True
        if rest:
            self._rests.begin(address, now)
        if retry_after is not None:
            self._not_before[address] = now + retry_after
