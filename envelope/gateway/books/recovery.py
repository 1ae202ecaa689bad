"""Recovery: calls whose process cannot end them are closed, free, and what they held is released.

A call belongs to the process that opened it. If that process has ended, its calls are closed at once. Of one that
lives, they are closed when they are overdue: 50 s past their deadline, as a `Watch` measures it, so that with the time
between two looks nothing is held for more than a minute after it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from envelope.gateway.books.settling import close_call
from envelope.registry.codes import SERVER_ERROR, TIMEOUT

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["GRACE", "Closed", "Watch", "recover"]

GRACE: Final = 50.0
"""Seconds that a call may be past its deadline."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A call that recovery closed, under the code 4000 if its process is gone, else 4017."""

    call: int
    code: str


class Watch:
    """How long open calls have not changed, by a clock that nobody sets (*clock*, in seconds).

    The store's clock may be set back, which would leave holds for ever, or forward, which would close what its process
    still renews. So a deadline counts from when the watch first saw it: for what was left of it by the store's clock
    then, but no longer than the call's whole time. A call that is renewed has another deadline, and begins anew. A
    watch that starts when a call is overdue already gives it as much more.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[tuple[int, int], float] = {}  # a call and its deadline → when it is overdue, by our clock

    def overdue(self, rows: Iterable[tuple[int, int, int]], now: int) -> list[int]:
        """Look at all open calls: number, deadline and lease in microseconds; *now* is the store's clock.

        Those that are overdue.
        """
        time = self._clock()
        due: dict[tuple[int, int], float] = {}
        for call, deadline, lease in rows:
            left = min(max(deadline - now, 0), lease) / 1_000_000
            due[call, deadline] = self._due.get((call, deadline), time + left + GRACE)
        self._due = due
        return [call for (call, _), end in due.items() if time >= end]


# In the order in which accounts are locked, so that two of these cannot wait for each other.
_OPEN: Final = "SELECT id, deadline, lease, node FROM call WHERE state = 'open' ORDER BY account, id"

_REQUEUE: Final = "UPDATE job SET state = 'queued', node = '' WHERE state = 'running' AND node = :node"
_RUNNING: Final = "SELECT DISTINCT node FROM job WHERE state = 'running'"


def recover(db: Transaction, is_gone: Callable[[str], bool], watch: Watch) -> list[Closed]:
    """Close what cannot end otherwise, and give the jobs of processes that are gone to others; what was closed.

    *is_gone* is the store's (`Store.is_gone`). Call it every few seconds, with the same *watch*.
    """
    rows = db.execute(_OPEN)
    jobs = db.execute(_RUNNING)
    gone = {node for node in {row[3] for row in rows} | {row[0] for row in jobs} if is_gone(node)}
    overdue = {*watch.overdue([row[:3] for row in rows], db.now)}
    closed = []
    for call, _, _, node in rows:
        if node in gone or call in overdue:
            code = SERVER_ERROR if node in gone else TIMEOUT
            if close_call(db, call, code):
                closed.append(Closed(call, code))
    for (node,) in jobs:
        if node in gone:
            db.execute(_REQUEUE, node=node)
    return closed
