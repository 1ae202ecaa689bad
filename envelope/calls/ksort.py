"""The order in which PHP's ksort puts the names of an array.

PHP compares two names as numbers if both look like numbers, else by their bytes. So ``10`` and ``1e1`` are equal and
keep their order, and ``10`` < ``9a`` < ``9e0`` < ``10``: for some sets of names no order is right, and which one comes
out depends on where each name was and on the steps of PHP's sort. Hence its steps, too, are here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isinf
from typing import Final, NamedTuple

from envelope.values.php_rules import INT_MAX, INT_MIN, array_key

__all__ = ["ksort"]

# The most names that are inserted one by one, and the most among which a place is searched in single steps.
_MAX_INSERTED: Final = 16
_MAX_SINGLE: Final = 6


def ksort(names: Iterable[str]) -> list[str]:
    """*names*, each once, in the order that PHP's ksort gives an array with these keys.

    There are at most `MAX_NAMES` (from 1024 on, PHP's steps are others).
    """
    names = list(names)
    if not any(map(_MAYBE_NUMBER.match, names)):
        return sorted(names)  # characters are in the order of their bytes
    keys = [_key(place, name) for place, name in enumerate(names)]
    unsorted = [(0, len(keys))]
    while unsorted:
        start, end = unsorted.pop()
        if end - start > _MAX_INSERTED:
            pivot = _part(keys, start, end)
            unsorted += [(start, pivot), (pivot + 1, end)]
        else:
            _insert(keys, start, end)
    return [key.name for key in keys]


# White space, a sign, digits with or without a point, an exponent, white space. Nothing is tried twice.
_NUMBER: Final = re.compile(
    r"[ \t\n\r\v\f]*+([+-]?(?:([0-9]++)(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)[ \t\n\r\v\f]*+"
)
_MAYBE_NUMBER: Final = re.compile(r"[ \t\n\r\v\f0-9+.-]")
# How many digits INT_MAX has.
_LONG: Final = 19


class _Key(NamedTuple):
    place: int
    name: str
    raw: bytes
    number: int | float | None = None  # None if it does not look like one
    beyond: int = 0  # the sign of an integer beyond 64 bits, of which a float says little; 0 for other names
    is_int: bool = False  # in a PHP array

    def is_after(self, other: _Key) -> bool:
        """Whether PHP puts it after *other*; equal ones stay in their order."""
        return (_compared(self, other) or self.place - other.place) > 0


def _key(place: int, name: str) -> _Key:
    raw = name.encode("utf-8", "surrogatepass")
    key = array_key(name)
    if isinstance(key, int):
        return _Key(place, name, raw, key, is_int=True)
    match = _NUMBER.fullmatch(name)
    if match is None:
        return _Key(place, name, raw)
    digits = (match[2] or "").lstrip("0")
    sign = -1 if match[1].startswith("-") else 1
    is_integer = match[1].lstrip("+-") == match[2]
    if is_integer and len(digits) <= _LONG:
        number = sign * int(digits or "0")
        # White space after the least integer makes PHP take it for a lesser one.
        if INT_MIN + (match.end(1) < len(name)) <= number <= INT_MAX:
            return _Key(place, name, raw, number)
    # An integer with a fraction or exponent counts as beyond if it has more digits than any of 64 bits.
    return _Key(place, name, raw, float(match[1]), sign if is_integer or len(digits) > _LONG else 0)


def _compared(one: _Key, other: _Key) -> int:
    """Above 0 if PHP calls *one* greater, below if less, 0 if equal."""
    a, b = one.number, other.number
    if a is None or b is None:
        return (one.raw > other.raw) - (one.raw < other.raw)
    if isinstance(a, float) and isinstance(b, float):
        # Rounded alike, they may be different.
        if a == b and (one.beyond == other.beyond != 0 or isinf(a)):
            return (one.raw > other.raw) - (one.raw < other.raw)
    elif (one.beyond or other.beyond) and not one.is_int and not other.is_int:
        return one.beyond - other.beyond
    elif isinstance(a, float) or isinstance(b, float):
        a, b = float(a), float(b)
    return (a > b) - (a < b)


def _insert(keys: list[_Key], start: int, end: int) -> None:
    """Sort the few keys from *start* to *end*, by insertion."""
    first = start + 1
    if end - start in (3, 4, 5):
        _sort_three(keys, start, start + 1, start + 2)
        first = start + 3
    for at in range(first, end):
        key = keys[at]
        if keys[at - 1].is_after(key):
            step = 1 if at - start < _MAX_SINGLE else 2
            keys.insert(_place(keys, start, at - 1, step), keys.pop(at))


def _place(keys: list[_Key], start: int, at: int, step: int) -> int:
    """The place for the key after *at*, which comes before that one: searched downwards, *step* keys at a time."""
    key = keys[at + 1]
    while at > start:
        above, at = at, max(at - step, start)
        if not keys[at].is_after(key):
            at += 1
            return at if at == above or keys[at].is_after(key) else at + 1
    return start


def _sort_three(keys: list[_Key], a: int, b: int, c: int) -> None:
    """Sort the keys at three places. If they go round in a circle, it matters which are compared."""
    if not keys[a].is_after(keys[b]):
        if keys[b].is_after(keys[c]):
            _swap(keys, b, c)
            if keys[a].is_after(keys[b]):
                _swap(keys, a, b)
    elif keys[b].is_after(keys[c]):
        _swap(keys, a, c)
    else:
        _swap(keys, a, b)
        if keys[b].is_after(keys[c]):
            _swap(keys, b, c)


def _part(keys: list[_Key], start: int, end: int) -> int:
    """Part the keys from *start* to *end* into those before and those after one of them; return the place of that."""
    middle = start + (end - start) // 2
    _sort_three(keys, start, middle, end - 1)
    _swap(keys, start + 1, middle)
    pivot = keys[start + 1]
    low, high = start + 2, end - 1
    while low < high:
        if pivot.is_after(keys[low]):
            low += 1
            continue
        high -= 1
        while low < high and keys[high].is_after(pivot):
            high -= 1
        if low < high:
            _swap(keys, low, high)
            low += 1
    _swap(keys, start + 1, low - 1)
    return low - 1


def _swap(keys: list[_Key], a: int, b: int) -> None:
    keys[a], keys[b] = keys[b], keys[a]
