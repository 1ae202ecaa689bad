"""The options of a call: their values, and the check of them, once for all formats."""

from __future__ import annotations

from typing import Literal

from envelope.limits import Limits

__all__ = ["Dialect", "Maps", "OnLoss", "Values", "check_options", "option_error"]

Values = Literal["portable", "php"]
Maps = Literal["array", "object"]
Dialect = Literal["typed", "php", "plain"]
OnLoss = Literal["error", "warn", "ignore"]


def check_options(values: str, maps: str, dialect: str, limits: Limits, *dialects: str) -> None:
    """Raise `TypeError` for a value that an option does not have; *dialects* are those of the format."""
    if type(limits) is not Limits:
        raise TypeError(f"limits is a Limits, not {type(limits).__name__}")
    if values not in ("portable", "php"):
        raise option_error("values", values, "portable", "php")
    if maps not in ("array", "object"):
        raise option_error("maps", maps, "array", "object")
    if dialect not in dialects:
        raise option_error("dialect", dialect, *dialects)


def option_error(option: str, value: object, *choices: str) -> TypeError:
    """The error for a value that *option* does not have, to be raised."""
    return TypeError(f"{option} is {' or '.join(map(repr, choices))}, not {value!r}")
