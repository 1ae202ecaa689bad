"""Upkeep: what a gateway does for its books beside calls: it ends what nobody else will, and removes what is old."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from envelope.gateway.books.forgetting import forget
from envelope.gateway.books.recovery import Watch, recover
from envelope.gateway.books.retention import remove_calls
from envelope.gateway.stores.store import Store, Transaction

if TYPE_CHECKING:
    from envelope.gateway.running import Running

__all__ = ["recover_for_ever", "remove_for_ever"]

_RECOVERY: Final = 5.0  # seconds between two looks for calls that cannot end, and for what is to be forgotten
_REMOVAL: Final = 60.0  # seconds between two looks for calls that are not kept any more
_PAUSE: Final = 0.05  # seconds in which others write, between two batches of them
_DAY: Final = 86_400_000_000


async def recover_for_ever(store: Store, node: Running) -> None:
    """Close the calls that nobody will end, and forget what was kept for a time."""
    watch = Watch()
    while True:
        log = node.current.log
        try:
            for closed in await store.write(lambda db: recover(db, store.is_gone, watch)):
                log.closed(closed.call, closed.code)
            while await store.write(forget):
                pass
        except Exception as error:  # mostly the store's; whatever it is, holds are to be released
            log.fault(error)
        await asyncio.sleep(_RECOVERY)


async def remove_for_ever(store: Store, node: Running) -> None:
    """Remove the records of calls that are older than ``keep_days``."""

    def remove(days: int, after: int) -> Callable[[Transaction], int | None]:
        return lambda db: remove_calls(db, db.now - days * _DAY, after)

    while True:
        days, log = node.current.settings.keep_days, node.current.log
        try:
            after: int | None = 0
            while days is not None and after is not None:
                after = await store.write(remove(days, after), synced=False)
                await asyncio.sleep(_PAUSE)
        except Exception as error:  # mostly the store's; whatever it is, old calls are to go
            log.fault(error)
        await asyncio.sleep(_REMOVAL)
