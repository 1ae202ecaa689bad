"""How much the suite tries: samples by default, and everything with HYPOTHESIS_PROFILE=thorough."""

from __future__ import annotations

import os
from collections.abc import Sequence
from random import Random
from typing import TypeVar

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "default")
THOROUGH = PROFILE == "thorough"

T = TypeVar("T")


def some(items: Sequence[T], count: int) -> Sequence[T]:
    """At most *count* of *items*, in their order and always the same ones; all of them in the thorough profile."""
    if THOROUGH or len(items) <= count:
        return items
    return [items[index] for index in sorted(Random(len(items)).sample(range(len(items)), count))]
