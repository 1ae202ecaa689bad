"""PHP's rules on keys, names and strings, which the formats and the requests keep."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = [
    "INT_MAX",
    "INT_MIN",
    "INT_STARTS",
    "array_key",
    "is_ambiguous",
    "is_class_name",
    "text_or_bytes",
]

INT_MIN = -(2**63)
"""The least integer of all formats, PHP's PHP_INT_MIN."""
INT_MAX = 2**63 - 1
"""The greatest integer of all formats, PHP's PHP_INT_MAX."""

INT_STARTS = "-0123456789"
_CANONICAL_INT = re.compile(r"0|-?[1-9][0-9]{0,18}")


def array_key(key: str) -> int | str:
    """Return the key a PHP array really has for the string *key*: an int if it is a canonical decimal of an int64.

    ``"5"`` and ``"-1"`` become integers; ``"05"``, ``"-0"``, ``"1.5"`` and ``"9223372036854775808"`` stay strings.
    """
    if key[:1] in INT_STARTS and _CANONICAL_INT.fullmatch(key):
        number = int(key)
        if INT_MIN <= number <= INT_MAX:
            return number
    return key


def is_ambiguous(value: Mapping[Any, Any]) -> bool:
    """Whether a PHP array cannot tell *value* from a list: it is empty, or its keys are 0 … n-1 in order."""
    return all(key == index or key == str(index) for index, key in enumerate(value))


# ASCII that is not a letter, digit or underscore; beyond ASCII, PHP takes every character.
_NO_NAME = re.compile(r"[\x00-/:-@\[-^`{-\x7f]")


def is_class_name(name: object) -> bool:
    """Whether *name* has the characters of a PHP class: what `var_export` prints of it then cannot be code."""
    if type(name) is not str or not all(name.split("\\")) or _NO_NAME.search(name.replace("\\", "")):
        return False
    return name.isascii() or not any("\ud800" <= char <= "\udfff" for char in name)


def text_or_bytes(raw: bytes) -> str | bytes:
    """Return a PHP string as a value: text if it is UTF-8, else the bytes."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
