"""Times: microseconds of the Unix time everywhere, typed as ISO 8601 has them."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["parse_time"]


def parse_time(text: str) -> int:
    """The microseconds of *text*, UTC unless it says otherwise; `ValueError` if it is anything else."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("not like 2026-11-01 or 2026-11-01T12:30+00:00") from None
    return round((time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp() * 1_000_000)
