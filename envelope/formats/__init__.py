"""The formats: their names, and one table of what each of them is and does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from functools import partial
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol, TypeAlias

from envelope.errors import UnknownFormat
from envelope.formats.native import NATIVE, compiled, extension
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.options import (
    DEFAULT_READING,
    DEFAULT_WRITING,
    MORE_READING,
    Default,
    Dialect,
    Maps,
    ReadOptions,
    Unknown,
    Values,
    WriteOptions,
    check_names,
    check_word,
)
from envelope.path import MAX_SHOWN

if TYPE_CHECKING:
    from typing import Unpack

    from envelope.options import Flag, MoreReading

__all__ = [
    "FORMATS",
    "NATIVE",
    "Format",
    "ResultType",
    "ResultTypeName",
    "Shortcut",
    "get_format",
    "get_shortcut",
    "make_formats",
    "make_shortcuts",
]


class ResultType(StrEnum):
    """The five values of a request's ``result_type``."""

    JSON = "json"
    JSONU = "jsonu"
    XML = "xml"
    SERIALIZE = "serialize"
    VAR_EXPORT = "var_export"

    @classmethod
    def _missing_(cls, value: object) -> None:
        # Enum's own message neither cuts the value nor lists the members.
        shown = repr(value[:MAX_SHOWN]) if isinstance(value, str) else f"a value of type {type(value).__name__}"
        raise ValueError(f"{shown} is not a result_type: {', '.join(cls)}")

    @property
    def media_type(self) -> str:
        """The ``Content-Type`` of a document in this format, without its charset (always UTF-8)."""
        return FORMATS[self].media_type


ResultTypeName = Literal["json", "jsonu", "xml", "serialize", "var_export"]
"""The same as plain strings, for type checkers."""


if TYPE_CHECKING:  # making a Protocol takes its time

    class Dumps(Protocol):
        """Writes a value; the options are those that `Format.writing` makes."""

        def __call__(self, value: object, options: WriteOptions = ..., default: Default | None = ..., /) -> bytes: ...

    class Loads(Protocol):
        """Reads a document; the options are those that `Format.reading` makes."""

        def __call__(self, data: object, options: ReadOptions = ..., unknown: Unknown = ..., /) -> Any: ...


# Options of the default limits are made once for each format: for a short document, making them again would take much
# of the time. Only our own words are in here, so there are no more than the options have.
_READING: dict[tuple[str, Values, Dialect], ReadOptions] = {}
_WRITING: dict[tuple[str, Values, Maps, Dialect], WriteOptions] = {}


class Format(NamedTuple):
    """One row of the table: ``dumps`` and ``loads`` are the codec, ``suffix`` is how a file of this format is named.

    ``is_php`` says whether it is one of the two formats that hold PHP's own domain.
    """

    name: ResultType
    media_type: str
    suffix: str
    dialects: tuple[Dialect, ...]
    dumps: Dumps
    loads: Loads
    is_php: bool = False

    def reading(
        self,
        values: Values = "portable",
        dialect: Dialect = "typed",
        limits: Limits = DEFAULT_LIMITS,
        **more: Unpack[MoreReading],
    ) -> ReadOptions:
        """Return the options to read this format with; `TypeError` for an option or a word that it does not have."""
        is_common = limits is DEFAULT_LIMITS and not more
        try:
            if is_common:
                return _READING[self.name, values, dialect]
        except (KeyError, TypeError):  # new, or of the wrong type
            pass
        check_names(more, MORE_READING)
        check_word("dialect", dialect, self.dialects)
        options = ReadOptions(values=values, dialect=dialect, limits=limits, **more)
        if more:
            self._check_encoding(options)
            self._check_reading(options)
        if is_common:
            _READING[self.name, options.values, options.dialect] = options
        return options

    def writing(
        self,
        values: Values = "portable",
        maps: Maps = "array",
        dialect: Dialect = "typed",
        limits: Limits = DEFAULT_LIMITS,
        flags: Collection[Flag] = (),
    ) -> WriteOptions:
        """Return the options to write this format with; `TypeError` for an option or a word that it does not have."""
        is_common = limits is DEFAULT_LIMITS and flags == ()
        try:
            if is_common:
                return _WRITING[self.name, values, maps, dialect]
        except (KeyError, TypeError):  # new, or of the wrong type
            pass
        check_word("dialect", dialect, self.dialects)
        options = WriteOptions(values=values, maps=maps, dialect=dialect, limits=limits, flags=flags)
        if options.flags and (not self.is_json or options.dialect != "php"):
            raise TypeError('flags= is for json and jsonu in the dialect "php"')
        if is_common:
            _WRITING[self.name, options.values, options.maps, options.dialect] = options
        return options

    def _check_encoding(self, options: ReadOptions) -> None:
        """Put the charset's name in place of its label; `TypeError` if this format has no such charset."""
        if options.encoding == "utf-8":
            return
        from envelope.formats.common.charsets import UTF_16, check_label  # few calls need it

        is_plain = options.dialect == "plain"
        if options.encoding == "declared":
            if not is_plain:
                raise TypeError('encoding="declared" is for xml in the dialect "plain"')
            return
        name = check_label(options.encoding)
        if name != "utf-8" and self.name == ResultType.XML and not is_plain:
            raise TypeError('encoding= is for any format but typed xml; dialect="plain" has it')
        if name == UTF_16 and self.is_php:
            raise TypeError("UTF-16 is a charset of whole documents, json and plain xml, not of PHP's strings")
        object.__setattr__(options, "encoding", name)

    def _check_reading(self, options: ReadOptions) -> None:
        """`TypeError` for an option that this format does not have."""
        if options.references == "keep" and not (options.php and self.name == ResultType.SERIALIZE):
            raise TypeError('references="keep" is for serialize, with values="php"')
        if options.flags and not self.is_json:
            raise TypeError("flags= is for json and jsonu")
        if options.dialect != "plain" and (
            options.lists or options.attributes != "refuse" or options.namespaces != "refuse"
        ):
            raise TypeError('attributes=, namespaces= and lists= are for xml in the dialect "plain"')

    def read(self, data: object, options: ReadOptions, unknown: Unknown | None) -> Any:
        """Return the value in *data*; `TypeError` for *unknown* where nothing can be unknown."""
        if unknown is None:
            return self.loads(data, options)
        if options.dialect not in ("file", "short"):
            raise TypeError("unknown= is for var_export's dialects file and short")
        return self.loads(data, options, unknown)

    def is_exact(self, options: WriteOptions) -> bool:
        """Whether every value that this format writes with these options is read back the same.

        That holds for the portable domain in the typed dialects, except that a PHP array cannot tell two kinds of map
        from lists unless ``maps="object"`` does.
        """
        is_typed = not options.php and options.dialect == "typed"
        return is_typed and (options.map_objects or not self.is_php)

    @property
    def is_json(self) -> bool:
        """Whether it is one of the two spellings of JSON."""
        return self.name in (ResultType.JSON, ResultType.JSONU)


_TYPED: tuple[Dialect, ...] = ("typed",)


Pick: TypeAlias = Callable[[str, str], ModuleType]
"""Chooses a codec: the ``read`` or ``write`` of a format's folder, the extension or its twin in Python."""


def make_formats(pick: Pick) -> Mapping[str, Format]:
    """Return the five rows by name, with the functions that *pick* chooses."""
    rows = (
        Format(
            ResultType.JSON,
            "application/json",
            ".json",
            ("typed", "php"),
            partial(pick("json", "write").dumps, ascii=True),
            partial(pick("json", "read").loads, format="json"),
        ),
        Format(
            ResultType.JSONU,
            "application/json",
            ".jsonu.json",
            ("typed", "php"),
            partial(pick("json", "write").dumps, ascii=False),
            partial(pick("json", "read").loads, format="jsonu"),
        ),
        Format(
            ResultType.XML,
            "application/xml",
            ".xml",
            ("typed", "plain"),
            pick("xml", "write").dumps,
            pick("xml", "read").loads,
        ),
        Format(
            ResultType.SERIALIZE,
            "application/vnd.php.serialized",
            ".serialize",
            ("typed", "session", "session_binary"),
            pick("serialize", "write").dumps,
            pick("serialize", "read").loads,
            is_php=True,
        ),
        Format(
            ResultType.VAR_EXPORT,
            "text/x-php",
            ".var_export.php",
            ("typed", "file", "short"),
            pick("var_export", "write").dumps,
            pick("var_export", "read").loads,
            is_php=True,
        ),
    )
    # Plain strings are found faster than enum members.
    return MappingProxyType({row.name.value: row for row in rows})


FORMATS: Final = make_formats(compiled)
"""The five formats by name."""


class Shortcut(NamedTuple):
    """A lossless way from format to format without a value between.

    ``convert(data, limits)`` converts a document, ``convert_lines(data, limits)`` one per line, with the number of
    lines and of documents. Both return None if the two codecs must do it, or raise the error.
    """

    convert: Callable[[Any, Limits], bytes | None]
    convert_lines: Callable[[bytes, Limits], tuple[bytes, int, int] | None]


def make_shortcuts(module: ModuleType | None) -> Mapping[tuple[str, str], Shortcut]:
    """Return the shortcuts of the extension *module*, by the names of both formats."""
    if module is None:
        return MappingProxyType({})
    return MappingProxyType(
        {
            ("serialize", target): Shortcut(
                partial(module.convert, ascii=ascii), partial(module.convert_lines, ascii=ascii)
            )
            for target, ascii in (("json", True), ("jsonu", False))
        }
    )


SHORTCUTS: Final = make_shortcuts(extension("serialize._to_json"))


def get_shortcut(source: str, reading: ReadOptions, target: str, writing: WriteOptions) -> Shortcut | None:
    """Return the lossless shortcut for a conversion with these options, or None."""
    shortcut = SHORTCUTS.get((source, target))
    if reading is DEFAULT_READING and writing is DEFAULT_WRITING:
        return shortcut
    if shortcut is None or reading.php or writing.php or reading.encoding != "utf-8":
        return None
    return shortcut if reading.dialect == writing.dialect == "typed" else None


def get_format(format: str) -> Format:
    """Return the row of *format*, a `ResultType` or its string; `UnknownFormat` if there is none."""
    row = FORMATS.get(format)  # no KeyError, which would hold all of the word
    if row is not None:
        return row
    if not isinstance(format, str):
        raise TypeError(f"a format must be a str or ResultType, not {type(format).__name__}")
    raise UnknownFormat(f"{format[:MAX_SHOWN]!r} is not one of {', '.join(FORMATS)}")
