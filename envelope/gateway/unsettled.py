"""`Unsettled`: calls whose callers were told 4000, because the books could not be written, are made free on the books.

Whether such a transaction was recorded is not known: the store may have committed it, and its answer was lost. So each
is looked for by its request id, as soon as the store can be written again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from envelope.gateway.books.freeing import free_call
from envelope.gateway.stores.errors import StoreUnavailable

if TYPE_CHECKING:
    from envelope.gateway.logs import CallLog
    from envelope.gateway.stores.store import Store

__all__ = ["Unsettled"]

_MOST: Final = 10_000
_LONGEST: Final = 32.0  # the last pause of a call that is not found, a minute after the first look
_NOTE: Final = "its caller was told that it failed"


class Unsettled:
    """Remembers such calls, and frees them in the background; *pause* is the seconds between two tries.

    A call that the books do not have may come yet, as a database may end a transaction after its client is gone: it is
    looked for for a minute. *clock* is in seconds, and never set back.
    """

    def __init__(
        self, store: Store, *, log: CallLog, pause: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._log = log
        self._pause = pause
        self._clock = clock
        self._calls: dict[str, tuple[float, float]] = {}  # by request id: when to look next, and the pause after that
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, request_id: str) -> None:
        """Remember a call.

        If there are too many, it is not: the first have holds, which the last, let in by nobody, do not.
        """
        if len(self._calls) < _MOST:
            self._calls[request_id] = (self._clock(), self._pause)
            self._some.set()

    async def run(self) -> None:
        """Free calls for ever."""
        while True:
            await self._some.wait()
            await asyncio.sleep(self._pause)
            await self.free()

    async def free(self, *, is_last: bool = False) -> None:
        """Free what can be freed now; if there will be no other time, look also for what was not found just before."""
        now = self._clock()
        for request_id, (at, pause) in list(self._calls.items()):
            if at > now and not is_last:
                continue
            try:
                is_found = await self._store.write(lambda db, call=request_id: free_call(db, call, _NOTE))  # type: ignore[misc]
            except StoreUnavailable:
                break
            except Exception as error:  # whatever it is, others wait
                self._log.fault(error)
                is_found = False
            if is_found:
                self._log.note("freed", request_id=request_id)
            if is_found or pause > _LONGEST:
                del self._calls[request_id]
            else:
                self._calls[request_id] = (now + pause, 2 * pause)
        if not self._calls:
            self._some.clear()
