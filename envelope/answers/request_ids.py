"""Request ids as the gateway makes them: a node's prefix and PHP's `uniqid()`."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

__all__ = ["RequestIds", "is_request_id"]

_LAST = (1 << 32) * 1_000_000 - 1
_FORM = re.compile(r"(?:(?!\.|.*\.\.)[A-Za-z0-9_.-]*\.)?[0-9a-f]{8}([0-9a-f]{5})")


def is_request_id(text: str) -> bool:
    """Whether *text* is an id as `RequestIds` makes them, with any node's prefix: words, each followed by a dot."""
    match = _FORM.fullmatch(text)
    return match is not None and int(match[1], 16) < 1_000_000


class RequestIds:
    """A generator of request ids: call it for the next one, like ``"1.6403f86cd67f6"``.

    An id is *prefix*, the Unix seconds in 8 hexadecimal digits and the microseconds in 5. *clock* returns the time in
    nanoseconds (`time.time_ns`). Ids of one generator are unique and ascending as text, even across threads, and even
    if the clock stops or runs back: then the next microsecond is used.
    """

    __slots__ = ("_clock", "_last", "_lock", "_prefix")

    def __init__(self, clock: Callable[[], int], prefix: str = "1.") -> None:
        self._clock = clock
        self._prefix = prefix
        self._last = -1
        self._lock = threading.Lock()

    def __call__(self) -> str:
        """The next id; `ValueError` if the clock's seconds do not fit in 32 bits."""
        with self._lock:
            time = self._clock() // 1000
            if not 0 <= time <= _LAST:
                raise ValueError(f"the microsecond {time} does not fit in a request id")
            self._last = now = max(time, self._last + 1)
        seconds, microseconds = divmod(now, 1_000_000)
        return f"{self._prefix}{seconds:08x}{microseconds:05x}"
