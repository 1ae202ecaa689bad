"""PHP's conversions of one value to another type: what casts do, and operators to their operands."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from envelope.values.php_rules import INT_MAX, INT_MIN

__all__ = ["NotData", "as_integer", "as_number", "as_whole", "is_true", "raw", "text_number", "wrapped"]

_NUMERIC: Final = re.compile(rb"[ \t\n\r\v\f]*+([+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)")
_SPACES: Final = b" \t\n\r\v\f"
_INTEGER_DIGITS: Final = 19  # no integer of 64 bits has more


class NotData(Exception):
    """What PHP refuses or warns of, or only a running PHP could tell; the text says what."""


def is_true(value: Any) -> bool:
    """Whether *value* is true for PHP: all but the empty, zero and "0"."""
    return value not in (b"0", "0") if type(value) in (bytes, str) and value else bool(value)


def as_number(value: Any, symbol: str) -> int | float:
    """*value* as an operand of an arithmetic operator."""
    if value is None or type(value) is bool:
        return int(value or 0)
    if type(value) is int or type(value) is float:
        return value
    if type(value) is not bytes and type(value) is not str:
        raise NotData(f"the operator {symbol} beside what is no number")
    number = text_number(value)
    if number is None:
        raise NotData(f"the operator {symbol} beside text that is no number")
    return number


def as_integer(value: Any, symbol: str) -> int:
    """*value* as an operand of ``%``, or of an operator on bits."""
    return as_whole(as_number(value, symbol), is_text=type(value) in (bytes, str))


def as_whole(number: float, *, is_text: bool) -> int:
    """*number* as an integer: beyond 64 bits only its low bits, but of a text the nearest integer."""
    if type(number) is int:
        return number
    if not math.isfinite(number):
        return 0
    if is_text and not INT_MIN <= number < -INT_MIN:
        return INT_MAX if number > 0 else INT_MIN
    return wrapped(int(number))


def wrapped(number: int) -> int:
    """The low 64 bits of *number*, as a signed integer."""
    return (number - INT_MIN) % 2**64 + INT_MIN


def text_number(text: bytes | str, *, whole: bool = True) -> int | float | None:
    """The number that *text* is, or (not *whole*) begins with; None if there is none."""
    data = raw(text)
    match = _NUMERIC.match(data)
    if match is None or (whole and data[match.end() :].strip(_SPACES)):
        return None
    spelled = match[1]
    digits = spelled.lstrip(b"+-")
    if digits.isdigit() and len(digits.lstrip(b"0")) <= _INTEGER_DIGITS:
        number = int(spelled[:1].strip(b"0123456789") + (digits.lstrip(b"0") or b"0"))
        if INT_MIN <= number <= INT_MAX:
            return number
    return float(spelled)


def raw(text: bytes | str) -> bytes:
    """The bytes of *text*."""
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
