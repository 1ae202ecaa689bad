"""The options of a call, in two objects: how a document is read, and how it is written; checked when they are made.

What each option means is said in `envelope.api`. Each format has its own dialects: `Format.reading` and
`Format.writing` make the options of a format, and refuse a dialect that it does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.path import MAX_SHOWN, parse_path

__all__ = [
    "DECODE_FLAGS",
    "DEFAULT_READING",
    "DEFAULT_WRITING",
    "DIALECTS",
    "ENCODE_FLAGS",
    "FOREIGN",
    "MAPS",
    "MORE_READING",
    "OBJECTS",
    "ON_LOSS",
    "REFERENCES",
    "VALUES",
    "Default",
    "Dialect",
    "Flag",
    "Foreign",
    "Maps",
    "Objects",
    "OnLoss",
    "ReadOptions",
    "References",
    "Unknown",
    "Values",
    "WriteOptions",
    "check_flags",
    "check_lists",
    "check_names",
    "check_word",
    "split_flags",
]

Values = Literal["portable", "php"]
"""The value domain (`envelope.values`)."""
Maps = Literal["array", "object"]
"""How maps are written that a PHP array cannot tell from lists."""
Dialect = Literal["typed", "php", "plain", "file", "short", "session", "session_binary"]
"""A spelling of a format."""
OnLoss = Literal["error", "warn", "ignore"]
"""What `convert` does about losses."""
References = Literal["resolve", "keep"]
"""How serialize's value references (``R:``) are read."""
Objects = Literal["public", "all", "tagged"]
"""What json and xml get of PHP's objects."""
Foreign = Literal["refuse", "drop", "keep"]
"""What is done about XML that a value has no place for: attributes, and the namespaces of names."""
DecodeFlag = Literal["JSON_BIGINT_AS_STRING"]
EncodeFlag = Literal[
    "JSON_FORCE_OBJECT",
    "JSON_HEX_AMP",
    "JSON_HEX_APOS",
    "JSON_HEX_QUOT",
    "JSON_HEX_TAG",
    "JSON_PRESERVE_ZERO_FRACTION",
    "JSON_PRETTY_PRINT",
    "JSON_UNESCAPED_LINE_TERMINATORS",
    "JSON_UNESCAPED_SLASHES",
    "JSON_UNESCAPED_UNICODE",
]
Flag: TypeAlias = DecodeFlag | EncodeFlag
"""PHP's name of a flag of `json_decode` or `json_encode`."""
Default: TypeAlias = Callable[[Any], Any]
"""A caller's function for values outside the domain. It belongs to one call, not to options that calls share."""
Unknown: TypeAlias = Callable[[str, list[Any] | None], Any]
"""A caller's function for what a PHP file does not tell: it takes a name and a call's arguments, returns the value."""


VALUES: Final = get_args(Values)
"""The words of `Values`."""
MAPS: Final = get_args(Maps)
"""The words of `Maps`."""
OBJECTS: Final = get_args(Objects)
"""The words of `Objects`."""
DIALECTS: Final = get_args(Dialect)
"""The words of `Dialect`."""
ON_LOSS: Final = get_args(OnLoss)
"""The words of `OnLoss`."""
REFERENCES: Final = get_args(References)
"""The words of `References`."""
FOREIGN: Final = get_args(Foreign)
"""The words of `Foreign`."""
MORE_READING: Final = ("encoding", "references", "flags", "attributes", "namespaces", "lists")
"""The options of reading that few calls have, which `MoreReading` types."""
DECODE_FLAGS: Final = get_args(DecodeFlag)
"""The flags of `json_decode` that readers take."""
ENCODE_FLAGS: Final = get_args(EncodeFlag)
"""The flags of `json_encode` that writers take."""


if TYPE_CHECKING:  # making a TypedDict takes its time
    from collections.abc import Iterable
    from typing import TypedDict

    class MoreReading(TypedDict, total=False):
        """The options of reading that few calls have."""

        encoding: str
        references: References
        flags: Collection[Flag]
        attributes: Foreign
        namespaces: Foreign
        lists: Collection[str] | Literal["repeated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How a document is read. `TypeError` for a word that an option does not have, `ValueError` for a path in *lists*
    that is none.

    ``php`` says whether PHP's own domain is read, not the portable one. ``std_class`` has the portable domain hold
    stdClass too, as a `PhpObject`: conversions between PHP's formats do. ``open_payloads`` reads what PHP's own classes
    wrote as ``C:`` payloads as what they write today: conversions to json and xml do.
    """

    values: Values = "portable"
    dialect: Dialect = "typed"
    limits: Limits = DEFAULT_LIMITS
    encoding: str = "utf-8"
    references: References = "resolve"
    flags: Collection[Flag] = ()
    attributes: Foreign = "refuse"
    namespaces: Foreign = "refuse"
    lists: Collection[str] | Literal["repeated"] = ()
    std_class: bool = False
    open_payloads: bool = False
    php: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check(self)
        object.__setattr__(self, "references", check_word("references", self.references, REFERENCES))
        object.__setattr__(self, "attributes", check_word("attributes", self.attributes, FOREIGN))
        object.__setattr__(self, "namespaces", check_word("namespaces", self.namespaces, FOREIGN))
        object.__setattr__(self, "flags", check_flags(self.flags, DECODE_FLAGS))
        object.__setattr__(self, "lists", check_lists(self.lists))


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
    flags: Collection[Flag] = ()
    php: bool = field(init=False, repr=False, compare=False)
    map_objects: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check(self)
        object.__setattr__(self, "maps", check_word("maps", self.maps, MAPS))
        object.__setattr__(self, "map_objects", self.maps == "object")
        object.__setattr__(self, "flags", check_flags(self.flags, ENCODE_FLAGS))


def _check(options: ReadOptions | WriteOptions) -> None:
    """Check what both kinds of options have, and keep our own words, not a caller's equal ones: calls share options."""
    if type(options.limits) is not Limits:
        raise TypeError(f"limits must be a Limits, not {type(options.limits).__name__}")
    object.__setattr__(options, "values", check_word("values", options.values, VALUES))
    object.__setattr__(options, "dialect", check_word("dialect", options.dialect, DIALECTS))
    object.__setattr__(options, "php", options.values == "php")


def check_names(given: Iterable[str], known: tuple[str, ...]) -> None:
    """`TypeError` for a name in *given* that none of the *known* options has."""
    for name in given:
        if name not in known:
            raise TypeError(f"there is no option {name}= here; help(envelope.api) has all of them")


def check_word(option: str, word: object, words: tuple[str, ...]) -> str:
    """Return the one of *words* that equals *word*; `TypeError` if *option* does not have it."""
    if word not in words:
        raise TypeError(f"{option} must be {' or '.join(map(repr, words))}, not {word!r}")
    return words[words.index(word)]


def check_flags(flags: Collection[str], known: tuple[str, ...]) -> tuple[str, ...]:
    """Return *flags* in the order of *known*, each once; `TypeError` for another."""
    if isinstance(flags, str):
        raise TypeError(f"flags must be a collection of names, as in {known[-2:]}")
    if isinstance(flags, int):
        raise TypeError(f"flags must be a collection of PHP's names, not a number{_names_in(flags, known)}")
    if not isinstance(flags, Collection):  # what can be looked through once would be none the second time
        raise TypeError(f"flags must be a collection of PHP's names, not {type(flags).__name__}")
    for flag in flags:
        if flag == "JSON_PARTIAL_OUTPUT_ON_ERROR":
            raise TypeError(f"{flag} would write null for what cannot be written; default= says what to write instead")
        check_word("flags", flag, known)
    return tuple(flag for flag in known if flag in flags)


def split_flags(flags: Collection[Flag]) -> tuple[list[Flag], list[Flag]]:
    """Return those of *flags* that are about reading, and those about writing; `TypeError` for another."""
    check_flags(flags, DECODE_FLAGS + ENCODE_FLAGS)
    return [flag for flag in flags if flag in DECODE_FLAGS], [flag for flag in flags if flag in ENCODE_FLAGS]


_BITS: Final[Mapping[str, int]] = {
    "JSON_BIGINT_AS_STRING": 2,
    "JSON_HEX_TAG": 1,
    "JSON_HEX_AMP": 2,
    "JSON_HEX_APOS": 4,
    "JSON_HEX_QUOT": 8,
    "JSON_FORCE_OBJECT": 16,
    "JSON_UNESCAPED_SLASHES": 64,
    "JSON_PRETTY_PRINT": 128,
    "JSON_UNESCAPED_UNICODE": 256,
    "JSON_PRESERVE_ZERO_FRACTION": 1024,
    "JSON_UNESCAPED_LINE_TERMINATORS": 2048,
}
"""The numbers of PHP's constants."""


def _names_in(number: int, known: tuple[str, ...]) -> str:
    """Which of the *known* names are in PHP's *number*, in words; ``""`` if it is not made of them alone."""
    names = [name for name, bit in _BITS.items() if name in known and number & bit]
    whole = sum({_BITS[name] for name in names})
    return f": {number} is {', '.join(map(repr, names))}" if names and whole == number else ""


def check_lists(lists: Collection[str]) -> tuple[str, ...] | Literal["repeated"]:
    """Return *lists*, paths as a tuple; `ValueError` for one that does not end in a name, or has an index."""
    if lists == "repeated":
        return "repeated"
    if isinstance(lists, str):
        raise TypeError(f"lists must be 'repeated' or a collection of paths, as in ({lists[:MAX_SHOWN]!r},)")
    paths = tuple(lists)
    for path in paths:
        if not isinstance(path, str):
            raise TypeError(f"a path of lists must be a str, not {type(path).__name__}")
        steps = parse_path(path)
        if not steps or steps[-1] is None or any(isinstance(step, int) for step in steps):
            raise ValueError(f"a path of lists is names and [*], and ends in a name, unlike {path[:MAX_SHOWN]!r}")
    return paths


DEFAULT_READING: Final = ReadOptions()
"""How a document is read if nothing is said."""
DEFAULT_WRITING: Final = WriteOptions()
"""How a value is written if nothing is said."""
