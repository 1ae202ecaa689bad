"""What the reader of expressions is in the middle of: frames, one inside the other, and operators in each."""

from __future__ import annotations

from typing import Any

from envelope.formats.var_export.php_file.arrays import MISSING, PhpArray

__all__ = ["Frame", "Operator"]


class Operator:
    """An operator whose right operand is being read; one before an operand (also a cast) has `MISSING` at its left.

    ``skips`` says that the left one decides already: PHP does not evaluate the right one.
    """

    __slots__ = ("at", "left", "rank", "skips", "symbol")

    def __init__(self, symbol: str, rank: int, at: int, left: Any = MISSING, *, skips: bool = False) -> None:
        self.symbol = symbol
        self.rank = rank
        self.at = at
        self.left = left
        self.skips = skips


class Frame:
    """An expression that has begun, and what it stands in.

    ``kind`` says what that is: an ``"array"``, the ``"state"`` of an object, the arguments of a ``"call"``, a
    ``"group"`` in parentheses, the ``"key"`` of an element that is read, what a ``"choice"`` has between ``?`` and
    ``:``, or ``""`` for nothing. ``name`` is whose state, or what is called.
    """

    __slots__ = (
        "array", "at", "closing", "has_keys", "is_fresh", "is_spread", "items", "key", "kind", "name", "of",
        "operators", "skips", "start", "takes_more",
    )  # fmt: skip

    def __init__(self, kind: str, start: int, closing: bytes, *, php: bool, name: str = "", of: Any = None) -> None:
        self.kind = kind
        self.start = start
        self.at = start  # where the expression begins
        self.closing = closing
        self.name = name
        self.of = of  # of what an element is read
        self.has_keys = kind in ("array", "state")  # whether the expression may be the key of another
        self.takes_more = self.has_keys or kind == "call"  # whether a comma may follow
        # Whether it may close here: it was opened, or a comma was read.
        self.is_fresh = self.takes_more
        self.is_spread = False
        self.skips = False
        self.array = PhpArray(php=php)
        self.items: list[Any] = []  # properties, or arguments
        self.key: Any = MISSING
        self.operators: list[Operator] = []
