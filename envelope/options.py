"""The options of a call, in two objects: how a document is read, and how it is written; checked when they are made.

What each option means is said in `envelope.api`. Each format has its own dialects: `Format.reading` and
`Format.writing` make the options of a format, and refuse a dialect that it does not have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

from envelope.limits import DEFAULT_LIMITS, Limits

__all__ = [
    "DEFAULT_READING",
    "DEFAULT_WRITING",
    "Default",
    "Dialect",
    "Maps",
    "OnLoss",
    "ReadOptions",
    "Values",
    "WriteOptions",
    "check_word",
    "read_options",
    "write_options",
]

Values = Literal["portable", "php"]
Maps = Literal["array", "object"]
Dialect = Literal["typed", "php", "plain"]
OnLoss = Literal["error", "warn", "ignore"]
Default: TypeAlias = Callable[[Any], Any]
"""A caller's function for values outside the domain. It belongs to one call, not to options that calls share."""


VALUES: Final = get_args(Values)
MAPS: Final = get_args(Maps)
DIALECTS: Final = get_args(Dialect)
ON_LOSS: Final = get_args(OnLoss)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How a document is read. `TypeError` for a word that an option does not have."""

    values: Values = "portable"
    dialect: Dialect = "typed"
    limits: Limits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        _check(self)

    @property
    def php(self) -> bool:
        """Whether PHP's own domain is read, not the portable one."""
        return self.values == "php"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """How a value is written. `TypeError` for a word that an option does not have."""

    values: Values = "portable"
    maps: Maps = "array"
    dialect: Dialect = "typed"
    limits: Limits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        _check(self)
        object.__setattr__(self, "maps", check_word("maps", self.maps, MAPS))

    @property
    def php(self) -> bool:
        """Whether PHP's own domain may be written, not the portable one alone."""
        return self.values == "php"

    @property
    def map_objects(self) -> bool:
        """Whether the maps that a PHP array cannot tell from lists are written as stdClass."""
        return self.maps == "object"

    @property
    def reading(self) -> ReadOptions:
        """The options that read back what these write."""
        return read_options(self.values, self.dialect, self.limits)


def _check(options: ReadOptions | WriteOptions) -> None:
    """Check what both kinds of options have, and keep our own words, not a caller's equal ones: calls share options."""
    if type(options.limits) is not Limits:
        raise TypeError(f"limits must be a Limits, not {type(options.limits).__name__}")
    object.__setattr__(options, "values", check_word("values", options.values, VALUES))
    object.__setattr__(options, "dialect", check_word("dialect", options.dialect, DIALECTS))


def check_word(option: str, word: object, words: tuple[str, ...]) -> str:
    """Return the one of *words* that equals *word*; `TypeError` if *option* does not have it."""
    if word not in words:
        raise TypeError(f"{option} must be {' or '.join(map(repr, words))}, not {word!r}")
    return words[words.index(word)]


DEFAULT_READING: Final = ReadOptions()
DEFAULT_WRITING: Final = WriteOptions()

# Each is made once: for a short document, making it again would take much of the time. Only our own words are in here,
# so there are no more than the options have words.
_READING: dict[tuple[Values, Dialect], ReadOptions] = {}
_WRITING: dict[tuple[Values, Maps, Dialect], WriteOptions] = {}


def read_options(values: Values, dialect: Dialect, limits: Limits) -> ReadOptions:
    """Return these options, checked."""
    if limits is not DEFAULT_LIMITS:
        return ReadOptions(values=values, dialect=dialect, limits=limits)
    try:
        return _READING[values, dialect]
    except (KeyError, TypeError):  # new, or of the wrong type
        options = ReadOptions(values=values, dialect=dialect)
    return _READING.setdefault((options.values, options.dialect), options)


def write_options(values: Values, maps: Maps, dialect: Dialect, limits: Limits) -> WriteOptions:
    """Return these options, checked."""
    if limits is not DEFAULT_LIMITS:
        return WriteOptions(values=values, maps=maps, dialect=dialect, limits=limits)
    try:
        return _WRITING[values, maps, dialect]
    except (KeyError, TypeError):  # new, or of the wrong type
        options = WriteOptions(values=values, maps=maps, dialect=dialect)
    return _WRITING.setdefault((options.values, options.maps, options.dialect), options)
