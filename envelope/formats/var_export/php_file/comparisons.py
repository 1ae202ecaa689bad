"""PHP's comparisons of null, booleans, numbers and text."""

from __future__ import annotations

import math
from typing import Any, Final

from envelope.formats.var_export.php_file.conversions import NotData, is_true, raw, text_number

__all__ = ["COMPARISONS", "compare"]

COMPARISONS: Final = frozenset(("==", "!=", "<>", "===", "!==", "<", "<=", ">", ">=", "<=>"))

_TEXT: Final = (bytes, str)
_SCALARS: Final = (type(None), bool, int, float, bytes, str)


def compare(symbol: str, left: Any, right: Any) -> bool | int:
    """The result of a comparison; `NotData` for arrays and objects, which have too many rules of their own."""
    if symbol in ("===", "!=="):
        return _is_identical(symbol, left, right) == (symbol == "===")
    if symbol in (">", ">="):  # PHP has only the other two
        left, right = right, left
    order = _order(symbol, left, right)
    if symbol == "<=>":
        return order
    if symbol in ("==", "!=", "<>"):
        return (order == 0) == (symbol == "==")
    return order < 0 if symbol in ("<", ">") else order <= 0


def _is_identical(symbol: str, left: Any, right: Any) -> bool:
    if type(left) in _TEXT and type(right) in _TEXT:
        return raw(left) == raw(right)
    if type(left) in _SCALARS or type(right) in _SCALARS:
        return type(left) is type(right) and left == right
    if type(left) is list and type(right) is list and not (left and right):
        return left == right
    raise NotData(f"the operator {symbol} between arrays or objects")


def _order(symbol: str, left: Any, right: Any) -> int:
    """-1, 0 or 1; 1 also if there is no order."""
    if left is None and type(right) in _TEXT:
        return -bool(right)
    if right is None and type(left) in _TEXT:
        return +bool(left)
    if left is None or right is None or type(left) is bool or type(right) is bool:
        return _sign(is_true(left), is_true(right))
    for value in (left, right):
        if type(value) not in _SCALARS:
            raise NotData(f"the operator {symbol} beside an array or an object")
    first = text_number(left) if type(left) in _TEXT else left
    second = text_number(right) if type(right) in _TEXT else right
    if first is None or second is None or _is_inexact(left, right, first, second):
        return _sign(_spelled(left), _spelled(right))
    if type(first) is float or type(second) is float:
        first, second = float(first), float(second)
    return _sign(first, second)


def _is_inexact(left: Any, right: Any, first: float, second: float) -> bool:
    """Whether both are texts of numbers beyond what is told apart: then the texts are compared."""
    if type(left) not in _TEXT or type(right) not in _TEXT or type(first) is not float or first != second:
        return False
    if type(second) is not float:
        return False
    is_beyond = raw(left).strip().lstrip(b"+-").isdigit() and raw(right).strip().lstrip(b"+-").isdigit()
    return is_beyond or math.isinf(first)


def _spelled(value: Any) -> bytes:
    if type(value) is float:
        raise NotData("a float as text, which PHP's setting precision decides,")
    return raw(value) if type(value) in _TEXT else b"%d" % value


def _sign(first: Any, second: Any) -> int:
    return 0 if first == second else -1 if first < second else 1
