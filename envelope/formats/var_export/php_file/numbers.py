"""PHP's spellings of numbers, in four bases and with underscores; what is beyond 64 bits is a float."""

from __future__ import annotations

import re
from typing import Final

from envelope.formats.var_export.php_file.source import Source
from envelope.values.php_rules import INT_MAX

__all__ = ["read_number"]

_NUMBER: Final = re.compile(
    rb"0[xX](?P<hex>[0-9a-fA-F][0-9a-fA-F_]*+)|0[oO](?P<octal>[0-7][0-7_]*+)|0[bB](?P<binary>[01][01_]*+)"
    rb"|(?P<whole>[0-9][0-9_]*+)(?:\.(?:[0-9][0-9_]*+)?)?(?:[eE][+-]?[0-9][0-9_]*+)?"
    rb"|\.[0-9][0-9_]*+(?:[eE][+-]?[0-9][0-9_]*+)?"
)
_MISPLACED: Final = re.compile(rb"_(?![0-9])")
_MISPLACED_IN_HEX: Final = re.compile(rb"_(?![0-9a-fA-F])")
_BASES: Final = {"hex": 16, "octal": 8, "binary": 2}


def read_number(source: Source, pos: int) -> tuple[int | float, int] | None:
    """Return the number at *pos* and the place after it; None if none begins there."""
    match = _NUMBER.match(source.data, pos)
    if match is None:
        return None
    text, base = match[0], _BASES.get(match.lastgroup or "", 10)
    if (_MISPLACED_IN_HEX if base == 16 else _MISPLACED).search(text):
        raise source.fail("an underscore that is not between digits", pos)
    digits = (match[match.lastgroup] if match.lastgroup else text).replace(b"_", b"")
    if base == 10:
        text = text.replace(b"_", b"")
        if text != digits or not match.lastgroup:
            return float(text), match.end()
        if len(digits) > 1 and digits.startswith(b"0"):
            if digits.strip(b"01234567"):
                raise source.fail("an octal number with an 8 or 9", pos)
            base = 8
    return _whole(digits, base), match.end()


def _whole(digits: bytes, base: int) -> int | float:
    """The integer, or the float that PHP makes of one beyond 64 bits."""
    digits = digits.lstrip(b"0") or b"0"
    if len(digits) <= 64 and (number := int(digits, base)) <= INT_MAX:
        return number
    if base == 10:
        return float(digits)
    # Digit by digit as PHP does, which rounds each time: in hexadecimal the digit's value is added, else its character,
    # from which that of 0 is taken then.
    total = 0.0
    for digit in digits:
        total = total * base + int(chr(digit), base) if base == 16 else total * base + digit - ord("0")
    return total
