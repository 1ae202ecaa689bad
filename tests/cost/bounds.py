"""What a case may cost at most."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cost.measure import Cost

__all__ = ["MOST_GROWTH", "growth_fault", "memory_fault"]

MOST_GROWTH: Final = 2.5
"""How many times the work, for twice the input."""

_MOST_PER_BYTE: Final = 40
_MOST_SPARE: Final = 16 << 20
# Python's own lists take more: 96 bytes for `[` and `]`.
_PER_BYTE: Final = {"lists in lists": 52}
# Seconds: the growth of a time that is shorter is chance.
_NOISE: Final = 0.05


def memory_fault(name: str, size: int, cost: Cost, *, spare: int = _MOST_SPARE) -> str:
    """Which memory was too much, in words; ``""`` if none was."""
    if cost.bytes <= _PER_BYTE.get(name, _MOST_PER_BYTE) * size + spare:
        return ""
    return f"MEMORY {cost.bytes / size:.0f} times the input"


def growth_fault(costs: Sequence[Cost]) -> str:
    """How many times the time was taken for twice the input, in words; ``""`` if that is not too much."""
    # To refuse what is beyond a limit is another job.
    growth = [
        after.seconds / before.seconds
        for before, after in pairwise(costs)
        if after.seconds > _NOISE and before.outcome == after.outcome
    ]
    return f"TIME {max(growth):.1f} times for twice the input" if growth and max(growth) > MOST_GROWTH else ""
