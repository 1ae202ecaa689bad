"""The budget of one call: what its limits leave, and the words for what goes beyond them."""

from __future__ import annotations

import sys
from typing import NamedTuple

from envelope.hints import Hint
from envelope.limits import Limits

__all__ = ["Budget", "Excess", "long_input", "long_output"]


class Excess(NamedTuple):
    """What goes beyond a limit, in the words of the error that the caller makes of it."""

    reason: str
    hint: Hint


class Budget:
    """What one call may still read or write: ``room`` is in bytes, or in characters that take at least a byte each.

    `enter` and `spend` return what exceeds the limits, None if nothing does: the caller knows which error that is, and
    where. A tight loop keeps ``room`` and ``items`` in locals if a call for each value costs too much.

    *codec* is the library below, if there is one that goes no deeper than *codec_depth*.
    """

    __slots__ = ("codec", "items", "limits", "max_depth", "room")

    def __init__(self, limits: Limits, codec: str = "", codec_depth: int = sys.maxsize) -> None:
        self.limits = limits
        self.items = limits.max_items
        self.room = limits.max_bytes
        self.max_depth = limits.max_depth
        self.codec = ""
        if codec_depth <= self.max_depth:
            self.codec, self.max_depth = codec, codec_depth

    def enter(self, depth: int, items: int) -> Excess | None:
        """Pay for a container at *depth* that holds *items* values."""
        self.items = left = self.items - items
        if depth > self.max_depth:
            hint = Hint("no-deeper", self.codec) if self.codec else Hint("raise-limit", "max_depth")
            return Excess(f"nested deeper than {self.max_depth}", hint)
        if left < 0:
            return Excess(f"more than {self.limits.max_items} items", Hint("raise-limit", "max_items"))
        return None

    def spend(self, size: int) -> Excess | None:
        """Pay for *size* bytes of the output."""
        self.room -= size
        return long_output(self.limits) if self.room < 0 else None


def long_output(limits: Limits) -> Excess:
    """Return the excess of an output that does not end within ``max_bytes``."""
    return Excess(f"the output is longer than {limits.max_bytes} bytes", Hint("raise-limit", "max_bytes"))


def long_input(size: int, limits: Limits, unit: str = "bytes") -> Excess:
    """Return the excess of an input of *size* bytes, or of a text of so many characters, each a byte at least."""
    reason = f"the input is {size} {unit} long; the limit is {limits.max_bytes}"
    return Excess(reason if unit == "bytes" else f"{reason} bytes", Hint("raise-limit", "max_bytes"))
