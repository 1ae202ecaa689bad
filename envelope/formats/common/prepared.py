"""How many spellings that repeat in documents are prepared, or kept once they were met."""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_NAMES", "PREPARED"]

MAX_NAMES: Final = 4096
"""How many distinct keys of a document keep their spelling: more than that are data, not names."""

PREPARED: Final = 2048
"""List indexes and string lengths below this number have their spelling prepared."""
