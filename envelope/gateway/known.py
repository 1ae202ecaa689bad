"""Accounts as this process knows them: at most a second old, so that a call seldom waits for the store.

What may cost money is decided on the books themselves (`envelope.gateway.books.admit`), whatever is known here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from envelope.gateway.books.accounts import Account, ApiState, account_of, api_states
from envelope.gateway.books.texts import MAX_NAME, is_storable
from envelope.gateway.page_tokens import PURPOSE
from envelope.gateway.stores.store import Store, Transaction
from envelope.gateway.vault import Vault

__all__ = ["Known", "KnownAccounts"]

_SECONDS: Final = 1.0
_MOST: Final = 10_000  # whoever tries keys must not fill the memory


@dataclass(frozen=True, slots=True)
class Known:
    """An account, its secret in the clear, the key of its page tokens, and the state of the APIs that were ever
    switched."""

    account: Account
    secret: str = field(repr=False)
    page_key: bytes = field(repr=False)
    apis: Mapping[str, ApiState]


class KnownAccounts:
    """Looks accounts up by key, once a second at most for each. *clock* is in seconds, and never set back."""

    def __init__(self, store: Store, vault: Vault, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        # By key: what was found, and until when that is fresh. The oldest are first.
        self._found: dict[str, tuple[Known | None, float]] = {}
        self._asked: dict[str, asyncio.Task[Known | None]] = {}

    async def of(self, key: str) -> Known | None:
        """The account with this key; None if there is none. `StoreUnavailable` if the store cannot say."""
        found = self._found.get(key)
        if found is not None and self._clock() < found[1]:
            return found[0]
        if len(key) > MAX_NAME or not is_storable(key):
            return None
        # Whoever comes while the store is asked gets the same answer; that one of them is cancelled changes nothing.
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.create_task(self._look_up(key))
            asked.add_done_callback(lambda _: self._asked.pop(key, None))
        return await asyncio.shield(asked)

    async def _look_up(self, key: str) -> Known | None:
        asked_at = self._clock()

        def steps(db: Transaction) -> tuple[Account | None, dict[str, ApiState]]:
            return account_of(db, key), api_states(db)

        account, apis = await self._store.read(steps)
        known = None if account is None else Known(account, *self._open(key, account.secret), apis)
        self._found.pop(key, None)
        self._found[key] = known, asked_at + _SECONDS
        if len(self._found) > _MOST:
            self._found.pop(next(iter(self._found)))
        return known

    def _open(self, key: str, sealed: str) -> tuple[str, bytes]:
        before = self._found.get(key, (None, 0.0))[0]
        if before is not None and before.account.secret == sealed:
            return before.secret, before.page_key
        return self._vault.open(sealed), self._vault.derive(PURPOSE, sealed)
