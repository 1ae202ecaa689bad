"""Request ids in the gateway's own form: a node's prefix and PHP's `uniqid()`."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

__all__ = ["RequestIds", "is_request_id"]

_LAST = (1 << 32) * 1_000_000 - 1
_FORM = re.compile(r"(?:[A-Za-z0-9_-]+\.)*[0-9a-f]{8}([0-9a-f]{5})")


def is_request_id(text: str) -> bool:
    """Whether *text* is as `RequestIds` makes them; the prefix may be any node's: words, each with a dot behind it."""
    match = _FORM.fullmatch(text)
    return match is not None and int(match[1], 16) < 1_000_000


class RequestIds:
    """A maker of request ids: call it for the next one, such as ``"1.6403f86cd67f6"``.

    An id is *prefix*, the Unix seconds in 8 hexadecimal digits and the microseconds in 5. *clock* answers the time in
    nanoseconds (`time.time_ns`). Ids of one maker are unique and rise as text, under threads too, and when the
    clock stands still or runs back: then the next microsecond is taken.
    """

    __slots__ = ("_clock", "_last", "_lock", "_prefix")

    def __init__(self, clock: Callable[[], int], prefix: str = "1.") -> None:
        self._clock = clock
        self._prefix = prefix
        self._last = -1
        self._lock = threading.Lock()

    def __call__(self) -> str:
        """The next id; `ValueError` where the clock is outside the 32 bits of seconds that one has."""
        with self._lock:
            time = self._clock() // 1000
            if not 0 <= time <= _LAST:
                raise ValueError(f"no request id holds the microsecond {time}")
            self._last = now = max(time, self._last + 1)
        seconds, microseconds = divmod(now, 1_000_000)
        return f"{self._prefix}{seconds:08x}{microseconds:05x}"
