"""The options' values, checked once for all formats."""

from __future__ import annotations

from envelope.limits import Limits

__all__ = ["check_options", "option_error"]


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
    return TypeError(f"{option} is {' or '.join(map(repr, choices))}, not {value!r}")
