"""How the gateway is: what `/ready` says, and how many upstreams rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envelope.gateway.operation.generations import Generation
    from envelope.gateway.running import Running

__all__ = ["State", "state_of"]


@dataclass(frozen=True, slots=True)
class State:
    """``rests`` has the seconds for which each upstream of this process rests, by its name; 0 if it is awake."""

    has_store: bool
    is_draining: bool
    rests: dict[str, float]

    @property
    def awake(self) -> int:
        """How many upstreams do not rest."""
        return sum(not seconds for seconds in self.rests.values())

    @property
    def is_ready(self) -> bool:
        """Whether calls may be sent here."""
        return self.has_store and bool(self.awake) and not self.is_draining


async def state_of(running: Running, generation: Generation) -> State:
    """How it is now; what the store says is at most a second old."""
    has_store = await running.glances.look(generation.log) is not None
    return State(has_store, running.is_draining, generation.upstreams.rests())
