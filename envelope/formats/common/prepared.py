"""How much of what repeats in documents has its spelling prepared, or kept once it was met."""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_NAMES", "PREPARED"]

MAX_NAMES: Final = 4096
"""Distinct keys of a document whose spelling is kept: more than that are data, not names."""

PREPARED: Final = 2048
"""Indexes of lists, and lengths of strings, whose spelling is prepared: those below this number."""
