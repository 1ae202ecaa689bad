"""A difference between two fixtures, in words that show the values around the place where they part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from envelope.values import Loss

__all__ = ["describe_change", "parting"]

_ATOMS = (bool, int, float, type(None))
_TEXTS = (str, bytes)
_REACH = 20


def describe_change(loss: Loss) -> str:
    """*loss* with the two scalars, or with the first keys that differ; else as it describes itself."""
    was, becomes = loss.was, loss.becomes
    what = ""
    if isinstance(was, dict) and isinstance(becomes, dict):
        was, becomes = list(was), list(becomes)
        index = parting(was, becomes)
        was, becomes = was[index : index + 1], becomes[index : index + 1]
        if not (was and becomes):
            return str(loss)
        (was,), (becomes,), what = was, becomes, "key "
    if not (isinstance(was, _ATOMS + _TEXTS) and isinstance(becomes, _ATOMS + _TEXTS)):
        return str(loss)
    start = parting(was, becomes) if isinstance(was, _TEXTS) and isinstance(becomes, _TEXTS) else 0
    return f"{loss.short_path}: {what}{_spelled(was, start)} → {_spelled(becomes, start)}"


def parting(one: Sequence[object], other: Sequence[object]) -> int:
    """The first index at which two sequences are not equal; the end of the shorter where there is none."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


def _spelled(value: Any, start: int) -> str:
    """A scalar; of a text what is around *start*."""
    if isinstance(value, _ATOMS):
        return repr(value)
    before, after = max(start - _REACH, 0), start + _REACH
    return f"{'…' * (before > 0)}{value[before:after]!r}{'…' * (after < len(value))}"
