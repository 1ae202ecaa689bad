"""Limits: one set of bounds for every format and both directions."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one call may read or write; anything more is an error of kind ``limit``.

    ``max_bytes``: length of the input, or of the output, in bytes.
    ``max_depth``: nested containers. A scalar has depth 0, ``[]`` depth 1; an envelope's own level counts.
    ``max_items``: all values but the root; keys are not counted.
    """

    max_bytes: int = 64 * 1024 * 1024
    max_depth: int = 200
    max_items: int = 2_000_000

    def __post_init__(self) -> None:
        for field in fields(self):
            bound = getattr(self, field.name)
            if type(bound) is not int:
                raise TypeError(f"Limits.{field.name} must be an int, not {type(bound).__name__}")
            if bound < 0:
                raise ValueError(f"Limits.{field.name} must be at least 0, not {bound}")

    @classmethod
    def unlimited(cls) -> Limits:
        """Return no bounds of ours; orjson's depth bounds (254 writing, 1024 reading) and libxml2's (2047) remain."""
        return cls(max_bytes=sys.maxsize, max_depth=sys.maxsize, max_items=sys.maxsize)


DEFAULT_LIMITS = Limits()
"""Those of every call that is given none."""
