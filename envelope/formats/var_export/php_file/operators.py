"""PHP's operators: how they bind, and what they make of numbers. Nothing here knows of a file."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from envelope.formats.var_export.php_file.comparisons import COMPARISONS, compare
from envelope.formats.var_export.php_file.conversions import (
    NotData,
    as_integer,
    as_number,
    as_whole,
    text_number,
    wrapped,
)
from envelope.values.php_rules import INT_MAX, INT_MIN

__all__ = ["BINARY", "CAST", "LONE", "RANKS", "RIGHT", "UNARY", "calculate", "cast_number", "negate"]

BINARY: Final = re.compile(
    rb"\?\?(?!=)|\?(?![?>]|->)|&&|\|\||[=!]==?|<=>|<>|[<>]=|<<(?![<=])|>>(?!=)|\*\*(?!=)|\+(?![+=])|-(?![-=>])"
    rb"|[*/%^](?!=)|&(?![&=])|\|(?![|=])|\.(?![.=0-9])|<(?!<)|>(?!>)"
)
"""An operator between two operands; ``?`` may be the beginning of ``?:``."""

CAST: Final = re.compile(
    rb"\([ \t]*+(array|binary|bool(?:ean)?|double|float|int(?:eger)?|object|string)[ \t]*+\)", re.IGNORECASE
)

_ORDER: Final = (
    ("?", "?:"), ("??",), ("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!=", "===", "!==", "<>", "<=>"),
    ("<", "<=", ">", ">="), (".",), ("<<", ">>"), ("+", "-"), ("*", "/", "%"), ("!",), ("unary",), ("**",),
)  # fmt: skip
RANKS: Final = {symbol: rank for rank, symbols in enumerate(_ORDER, 1) for symbol in symbols}
"""How tightly an operator binds: the higher, the tighter."""
UNARY: Final = RANKS["unary"]
RIGHT: Final = frozenset(("??", "**"))
"""The operators that are read from the right."""
LONE: Final = frozenset((RANKS["?"], RANKS["=="], RANKS["<"]))
"""The ranks of operators that do not follow each other without parentheses."""


def calculate(symbol: str, left: Any, right: Any) -> Any:
    """The result of an operator on numbers, or of a comparison; `NotData` if PHP has none, or warns."""
    if symbol in COMPARISONS:
        return compare(symbol, left, right)
    if symbol in _ON_INTEGERS:
        if symbol in "|&^" and type(left) in (bytes, str) and type(right) in (bytes, str):
            raise NotData(f"the operator {symbol} on the bytes of texts")
        return _ON_INTEGERS[symbol](as_integer(left, symbol), as_integer(right, symbol))
    return _ON_NUMBERS[symbol](as_number(left, symbol), as_number(right, symbol))


def negate(symbol: str, value: Any) -> int | float:
    """The result of ``-``, ``+`` or ``~`` before *value*."""
    if symbol != "~":
        return _multiply(as_number(value, symbol), -1 if symbol == "-" else 1)
    if type(value) is not int and type(value) is not float:
        raise NotData("the operator ~ before what is no number")
    return ~as_whole(value, is_text=False)


def cast_number(kind: str, value: Any) -> int | float:
    """(int) or (float) of *value*, which is no object."""
    is_text = type(value) in (bytes, str)
    if is_text:
        number = text_number(value, whole=False) or 0
    else:
        number = int(bool(value)) if type(value) in (list, dict, bool) else value
        number = 0 if number is None else number
    return float(number) if kind == "float" else as_whole(number, is_text=is_text)


def _add(left: float, right: float) -> int | float:
    result = left + right
    return result if type(result) is float or INT_MIN <= result <= INT_MAX else float(left) + float(right)


def _subtract(left: float, right: float) -> int | float:
    result = left - right
    return result if type(result) is float or INT_MIN <= result <= INT_MAX else float(left) - float(right)


def _multiply(left: float, right: float) -> int | float:
    result = left * right
    return result if type(result) is float or INT_MIN <= result <= INT_MAX else float(left) * float(right)


def _divide(left: float, right: float) -> int | float:
    if right == 0:
        raise NotData("a division by zero")
    if type(left) is int and type(right) is int and left % right == 0 and left // right <= INT_MAX:
        return left // right
    return float(left) / float(right)


def _remainder(left: int, right: int) -> int:
    if right == 0:
        raise NotData("a division by zero")
    return abs(left) % abs(right) * (-1 if left < 0 else 1)


def _power(left: float, right: float) -> int | float:
    if type(left) is not int or type(right) is not int or right < 0:
        return _float_power(float(left), float(right))
    # Squared as PHP does, which goes on with floats from the first product beyond 64 bits.
    result, base = 1, left
    while right:
        if right % 2:
            right -= 1
            product = _multiply(result, base)
            if type(product) is float:
                return product * _float_power(float(base), float(right))
            result = int(product)
        else:
            right //= 2
            square = _multiply(base, base)
            if type(square) is float:
                return float(result) * _float_power(square, float(right))
            base = int(square)
    return result


def _float_power(base: float, exponent: float) -> float:
    """C's pow, which has no errors."""
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:
        if base:
            return math.nan
        return math.copysign(math.inf, base) if exponent % 2 == 1 else math.inf


def _shift_left(left: int, right: int) -> int:
    return wrapped(left << _places(right)) if right < 64 else 0


def _shift_right(left: int, right: int) -> int:
    return left >> _places(right)


def _places(count: int) -> int:
    if count < 0:
        raise NotData("a shift by a negative number")
    return min(count, 64)


_ON_NUMBERS: Final = {"+": _add, "-": _subtract, "*": _multiply, "/": _divide, "**": _power}
_ON_INTEGERS: Final = {
    "%": _remainder,
    "|": int.__or__,
    "&": int.__and__,
    "^": int.__xor__,
    "<<": _shift_left,
    ">>": _shift_right,
}
