"""A store that fails when a test says so, before a transaction or after its commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from envelope.gateway.stores import Store, StoreUnavailable, Transaction

T = TypeVar("T")
Failing = Literal["", "unreachable", "lost"]


class UnreliableStore(Store):
    """*store*, whose writers get `StoreUnavailable` while ``failing`` is ``unreachable`` (nothing is recorded) or
    ``lost`` (it is recorded, and only the answer is lost)."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.failing: Failing = ""
        self.tried = 0

    @property
    def node(self) -> str:
        return self.store.node

    def is_gone(self, node: str) -> bool:
        return self.store.is_gone(node)

    def others(self) -> list[str]:
        return self.store.others()

    async def write(self, steps: Callable[[Transaction], T], *, synced: bool = True) -> T:
        self.tried += 1
        if self.failing == "unreachable":
            raise StoreUnavailable("the store cannot be reached")
        value = await self.store.write(steps, synced=synced)
        if self.failing == "lost":
            raise StoreUnavailable("the connection was lost")
        return value

    async def read(self, steps: Callable[[Transaction], T]) -> T:
        return await self.store.read(steps)

    def write_now(self, steps: Callable[[Transaction], T], *, is_long: bool = False) -> T:
        return self.store.write_now(steps, is_long=is_long)

    def read_now(self, steps: Callable[[Transaction], T]) -> T:
        return self.store.read_now(steps)

    def close(self) -> None:
        self.store.close()
