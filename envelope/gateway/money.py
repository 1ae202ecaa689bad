"""Money: integer micro-units everywhere, shown and typed as decimal units."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["MAX_AMOUNT", "UNIT", "parse_amount", "shown_amount"]

UNIT: Final = 1_000_000
"""Micro-units in a unit."""

MAX_AMOUNT: Final = 9_000_000_000_000_000
"""The most that a balance can be, in micro-units: any JSON reader keeps it exact, and no sum of two overflows."""

_AMOUNT = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,6}))?", re.ASCII)


def parse_amount(text: str) -> int:
    """The micro-units of *text*, units with up to six decimals; `ValueError` if it is anything else, or too much."""
    match = _AMOUNT.fullmatch(text)
    amount = int(match[1]) * UNIT + int((match[2] or "").ljust(6, "0")) if match else -1
    if not 0 <= amount <= MAX_AMOUNT:
        raise ValueError(f"an amount is a number of units with up to six decimals, at most {MAX_AMOUNT // UNIT}")
    return amount


def shown_amount(amount: int) -> str:
    """Micro-units as units, with as many decimals as it takes: ``"12.5"``."""
    units, micros = divmod(abs(amount), UNIT)
    decimals = f".{micros:06d}".rstrip("0").rstrip(".")
    return f"{'-' if amount < 0 else ''}{units}{decimals}"
