"""PHP's spelling of floats, and the numbers its readers take."""

from __future__ import annotations

import math
import re

from envelope.formats.common.cursor import Cursor
from envelope.hints import Hint
from envelope.values.php_rules import INT_MAX, INT_MIN

__all__ = ["float_text", "read_float", "read_int"]

_FLOAT = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INT = re.compile(rb"[+-]?[0-9]+")
_CONSTANTS = {b"NAN": math.nan, b"INF": math.inf, b"-INF": -math.inf}

# Fixed notation up to this power of ten: serialize_precision=-1 has the layout of precision 17.
_FIXED_BELOW = 17
_INTEGRAL_OR_CONSTANT = "0nf"  # how repr ends for 1.0, nan and inf


def float_text(number: float, point: str = ".0") -> str:
    """Return PHP's shortest spelling at ``serialize_precision=-1``: ``0.1``, ``1.0E+25``, ``-0``, ``NAN``.

    *point* is what follows an integral number in fixed notation: ``".0"`` in var_export, nothing in serialize.
    Python's `repr` has the same digits (both print the shortest that read back); only the layout differs.
    """
    text = repr(number)
    if "e" not in text:
        if text[-1] not in _INTEGRAL_OR_CONSTANT:
            return text
        if text.endswith(".0"):
            return text[:-2] + point
        return text if text[-1].isdigit() else _constant_text(number)
    mantissa, _, exponent = text.partition("e")
    power = int(exponent)
    digits = mantissa.replace(".", "")
    if 0 <= power < _FIXED_BELOW:
        # The one power of ten (1e16) that Python writes with an exponent and PHP does not.
        return digits.ljust(power + 1 + (number < 0), "0") + point
    if "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}E{power:+d}"


def _constant_text(number: float) -> str:
    return "NAN" if number != number else "INF" if number > 0 else "-INF"


def read_float(cursor: Cursor, start: int, end: int, *, php: bool) -> float:
    """The float in ``data[start:end]``: ``[+-]? digits [. digits] [e exponent]``, or ``NAN INF -INF`` in PHP's domain.

    Python's own `float` would also take ``1_0``, ``nan`` and spaces, which PHP refuses.
    """
    text = cursor.data[start:end]
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise cursor.fail("a number beyond the range of a float", start, kind="limit")
        return number
    if text in _CONSTANTS:
        if not php:
            raise cursor.fail("not a finite number", start, kind="forbidden", hint=Hint("values-php"))
        return _CONSTANTS[text]
    raise cursor.fail("expected a number", start)


def read_int(cursor: Cursor, start: int, end: int) -> int:
    """Return the int64 in ``data[start:end]``: ``[+-]? digits``, leading zeros allowed as in PHP."""
    text = cursor.data[start:end]
    if len(text) < 19 and text.isdigit():  # the usual case: within 64 bits, without a sign
        return int(text)
    if not _INT.fullmatch(text):
        raise cursor.fail("expected an integer", start)
    # Cut before int() sees it: Python refuses (and takes quadratic time for) thousands of digits.
    digits = text.lstrip(b"+-").lstrip(b"0")[:20]
    number = int(digits or b"0") * (-1 if text.startswith(b"-") else 1)
    if not INT_MIN <= number <= INT_MAX:
        raise cursor.fail("an integer beyond 64 bits", start, kind="limit")
    return number
