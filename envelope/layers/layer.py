"""What a layer's own file gives: the ways in which it can be taken off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

__all__ = ["Undone", "Ways"]


class Undone(NamedTuple):
    """One way: ``data`` is left, which was between the bytes *start* and *end*, as it stood unless ``is_decoded``."""

    data: bytes
    start: int
    end: int
    is_decoded: bool = False
    detail: str = ""


Ways: TypeAlias = Callable[[bytes, int], Iterator[Undone]]
"""Yields the ways to take a layer off some data, the likeliest first; nothing if it is not there.

Each takes time in proportion to its input and output. The second argument is the most bytes that may come out; if there
are more, it is an `Excess`.
"""
