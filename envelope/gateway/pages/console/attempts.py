"""Attempts to sign in: whoever sends wrong tokens must wait."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["Attempts"]

_MOST: Final = 10
_SECONDS: Final = 300.0
_MOST_CLIENTS: Final = 1000  # whoever has many addresses must not fill the memory


class Attempts:
    """At most ten wrong tokens in five minutes from one address. *clock* is in seconds, and never set back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[str, deque[float]] = {}

    def seconds_to_wait(self, client: str) -> float:
        """How long that address must wait; 0 if it need not."""
        times = self._failed.get(client)
        return 0.0 if times is None or len(times) < _MOST else max(times[0] + _SECONDS - self._clock(), 0.0)

    def failed(self, client: str) -> None:
        """That address has sent a wrong token."""
        times = self._failed.pop(client, deque(maxlen=_MOST))
        times.append(self._clock())
        self._failed[client] = times
        if len(self._failed) > _MOST_CLIENTS:
            self._failed.pop(next(iter(self._failed)))
