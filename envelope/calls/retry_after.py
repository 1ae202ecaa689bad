"""`Retry-After`: for how long a server asks not to be called."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

__all__ = ["seconds_to_wait"]

_SECONDS: Final = re.compile(r"[0-9]{1,9}")


def seconds_to_wait(retry_after: str, now: float) -> float | None:
    """The seconds from *now* (Unix time) that a `Retry-After` asks for, never negative; None if it says nothing."""
    text = retry_after.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(date.timestamp() - now, 0.0)
