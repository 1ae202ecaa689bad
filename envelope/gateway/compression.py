"""Whether a caller takes an answer in gzip."""

from __future__ import annotations

from typing import Final

__all__ = ["LEVEL", "takes_gzip"]

LEVEL: Final = 4
"""How hard answers are compressed that are made for one caller."""


def takes_gzip(accepted: str) -> bool:
    """Whether ``Accept-Encoding`` names gzip, with a weight other than 0 (RFC 9110, 12.5.3)."""
    takes: dict[str, bool] = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        takes.setdefault(name.strip(), weight.replace(" ", "").rstrip("0.") != "q=")
    # What names it says more than what names anything.
    return takes.get("gzip", takes.get("x-gzip", takes.get("*", False)))
