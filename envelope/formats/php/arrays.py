"""What a PHP array is in Python, once it has been read."""

from __future__ import annotations

from typing import Any

__all__ = ["array_value"]


def array_value(members: dict[Any, Any], *, is_list: bool, has_int: bool, php: bool) -> Any:
    """A list if the keys were 0 … n-1 in order, else a dict; int keys are decimal strings in the portable domain."""
    if is_list:
        return list(members.values())
    if has_int and not php:
        return {key if type(key) is str else str(key): value for key, value in members.items()}
    return members
