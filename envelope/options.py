"""The options of a call, in two objects: how a document is read, and how it is written; checked when they are made.

What each option means is said in `envelope.api`. Each format has its own dialects: `Format.reading` and
`Format.writing` make the options of a format, and refuse a dialect that it does not have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, get_args

from envelope.limits import DEFAULT_LIMITS, Limits

__all__ = [
    "DEFAULT_READING",
    "DEFAULT_WRITING",
    "DIALECTS",
    "MAPS",
    "ON_LOSS",
    "VALUES",
    "Default",
    "Dialect",
    "Maps",
    "OnLoss",
    "ReadOptions",
    "Unknown",
    "Values",
    "WriteOptions",
    "check_word",
]

Values = Literal["portable", "php"]
Maps = Literal["array", "object"]
Dialect = Literal["typed", "php", "plain", "file", "short", "session", "session_binary"]
OnLoss = Literal["error", "warn", "ignore"]
Default: TypeAlias = Callable[[Any], Any]
"""A caller's function for values outside the domain. It belongs to one call, not to options that calls share."""
Unknown: TypeAlias = Callable[[str, list[Any] | None], Any]
"""A caller's function for what a PHP file does not tell: it takes a name and a call's arguments, returns the value."""


VALUES: Final = get_args(Values)
MAPS: Final = get_args(Maps)
DIALECTS: Final = get_args(Dialect)
ON_LOSS: Final = get_args(OnLoss)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How a document is read. `TypeError` for a word that an option does not have.

    ``php`` says whether PHP's own domain is read, not the portable one.
    """

    values: Values = "portable"
    dialect: Dialect = "typed"
    limits: Limits = DEFAULT_LIMITS
    php: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """How a value is written. `TypeError` for a word that an option does not have.

    ``php`` says whether PHP's own domain may be written, not the portable one alone; ``map_objects`` whether the maps
    that a PHP array cannot tell from lists are written as stdClass.
    """

    values: Values = "portable"
    maps: Maps = "array"
    dialect: Dialect = "typed"
    limits: Limits = DEFAULT_LIMITS
    php: bool = field(init=False, repr=False, compare=False)
    map_objects: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check(self)
        object.__setattr__(self, "maps", check_word("maps", self.maps, MAPS))
        object.__setattr__(self, "map_objects", self.maps == "object")


def _check(options: ReadOptions | WriteOptions) -> None:
    """Check what both kinds of options have, and keep our own words, not a caller's equal ones: calls share options."""
    if type(options.limits) is not Limits:
        raise TypeError(f"limits must be a Limits, not {type(options.limits).__name__}")
    object.__setattr__(options, "values", check_word("values", options.values, VALUES))
    object.__setattr__(options, "dialect", check_word("dialect", options.dialect, DIALECTS))
    object.__setattr__(options, "php", options.values == "php")


def check_word(option: str, word: object, words: tuple[str, ...]) -> str:
    """Return the one of *words* that equals *word*; `TypeError` if *option* does not have it."""
    if word not in words:
        raise TypeError(f"{option} must be {' or '.join(map(repr, words))}, not {word!r}")
    return words[words.index(word)]


DEFAULT_READING: Final = ReadOptions()
DEFAULT_WRITING: Final = WriteOptions()
