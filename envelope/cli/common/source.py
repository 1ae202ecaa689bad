"""The user's document: its bytes, its format, and the options for reading it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from envelope.cli.common.detect import detect
from envelope.cli.common.files import check_size, read_input
from envelope.cli.common.inner import inner_document
from envelope.cli.common.report import printable, show_decode_error, show_note, title_of
from envelope.errors import DecodeError
from envelope.formats import ResultType, get_format
from envelope.formats.detection import candidates
from envelope.hints import Hint
from envelope.limits import Limits
from envelope.path import parse_path

if TYPE_CHECKING:
    from envelope.layers import Unwrapped
    from envelope.options import Dialect, Flag, Foreign, MoreReading, ReadOptions, References, Values

__all__ = [
    "LINE_END",
    "Source",
    "SourceOptions",
    "check_dialect",
    "load_source",
]

LINE_END: Final = re.compile(rb"\r?\n\Z")


class Source(NamedTuple):
    """A document to read: ``name`` is the file's and what was done to reach the document, for messages."""

    name: str
    data: bytes
    format: str
    options: ReadOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """How documents are read, as given on the command line. A command need not have them all."""

    values: Values
    from_dialect: Dialect | None
    unwrap: tuple[str, ...]
    at: str | None
    no_limits: bool
    encoding: str = "utf-8"
    references: References = "resolve"
    flags: tuple[Flag, ...] = ()
    attributes: Foreign = "refuse"
    namespaces: Foreign = "refuse"
    lists: tuple[str, ...] = ()

    @property
    def limits(self) -> Limits:
        """The limits for what is read."""
        return Limits.unlimited() if self.no_limits else Limits()

    def read(
        self,
        file: str,
        format: str,
        *,
        flag: str = "--from",
        may_wait: bool = False,
        exact: bool = True,
        status: int = 1,
    ) -> Source:
        """The document in *file* (`read_input`), unwrapped and taken out of another as the options say.

        Its format is detected if *format* is ``"auto"``; if it cannot be, the usage error names the option *flag*.
        Unless it is *exact*, options that the format does not have are meant for another document. What cannot be
        reached is shown, and ends the command with the exit *status*.
        """
        name, data = file, read_input(file, self.limits.max_bytes, may_wait=may_wait)
        dialect = self.from_dialect
        try:
            if self.unwrap == ("auto",) or (self.unwrap and self.at is None):
                name, data, format, dialect = self._unwrapped(name, data, format)
            source = self._source(name, file, data, format, dialect, flag, exact=exact)
            if self.at is None:
                return source
            name, data = source.name, source.data
            inner = inner_document(load_source(data, source.format, source.options), parse_path(self.at))
            raw = inner.encode() if isinstance(inner, str) else inner
            name, data, format, dialect = f"{title_of(file)} at {self.at}", raw, "auto", None
            if self.unwrap:
                name, data, format, dialect = self._unwrapped(name, data, format)
            # Text was decoded with the outer document; in its charset are only bytes, and what ASCII was unwrapped to.
            is_decoded = isinstance(inner, str) and (data == raw or not raw.isascii())
            return self._source(name, "", data, format, dialect, flag, exact=False, is_decoded=is_decoded)
        except DecodeError as error:
            show_decode_error(error, name, data)
        raise click.exceptions.Exit(status)

    def _source(
        self,
        name: str,
        file: str,
        data: bytes,
        format: str,
        dialect: Dialect | None,
        flag: str,
        *,
        exact: bool,
        is_decoded: bool = False,
    ) -> Source:
        found = detect(file, data, self.limits) if format == "auto" else format
        if found is None:
            raise click.UsageError(f"cannot tell the format of {title_of(name)}: give it with {flag}")
        # What echo and editors add; JSON and XML have it as white space. Of a document that is too long, one byte more
        # than the limit was read, which says so.
        if get_format(found).is_php and len(data) <= self.limits.max_bytes:
            data = LINE_END.sub(b"", data)
        return Source(name, data, found, self.reading(found, data, dialect, exact=exact, is_decoded=is_decoded))

    def _unwrapped(self, name: str, data: bytes, format: str) -> tuple[str, bytes, str, Dialect | None]:
        from envelope.layers import unwrap

        check_size(data, "json" if format == "auto" else format, self.limits.max_bytes, hint=_RAISE)
        found: Unwrapped = unwrap(data, self.unwrap if self.unwrap != ("auto",) else "auto", limits=self.limits)
        if not found.layers:
            return name, data, format, self.from_dialect
        names = ", ".join(layer.name for layer in found.layers)
        show_note(f"{title_of(name)}: {names} taken off")
        dialect = self.from_dialect
        if format in ("auto", found.format) and found.format is not None:
            format, dialect = found.format, dialect or found.dialect
        return f"{title_of(name)} without {names}", found.data, format, dialect

    def reading(
        self,
        format: str,
        data: bytes = b"",
        dialect: Dialect | None = None,
        *,
        exact: bool = True,
        is_decoded: bool = False,
    ) -> ReadOptions:
        """The options for reading *format*; a usage error if it does not have them, and they must be *exact*.

        A document that *is_decoded* is UTF-8, whatever charset is given.
        """
        row = get_format(format)
        dialect = dialect or self.from_dialect
        if dialect is None or (dialect not in row.dialects and not exact):
            dialect = self._dialect_of(format, data)
        check_dialect("--from-dialect", format, dialect)
        more: MoreReading = {}
        fits = dialect == "plain" or (format != ResultType.XML and self.encoding != "declared")
        if self.encoding != "utf-8" and not is_decoded and (exact or fits):
            if format == ResultType.XML and dialect == "typed":
                raise click.UsageError("--encoding: xml with types is UTF-8; --from-dialect plain has charsets")
            if self.encoding == "declared" and dialect != "plain":
                raise click.UsageError("--encoding declared is for xml, with --from-dialect plain")
            more["encoding"] = self.encoding
        if self.references == "keep" and (exact or format == ResultType.SERIALIZE):
            if format != ResultType.SERIALIZE or self.values != "php":
                raise click.UsageError("--references keep is for serialize, with --values php")
            more["references"] = self.references
        if self.flags and (exact or row.is_json):
            if not row.is_json:
                raise click.UsageError(f"--flags {self.flags[0]}: it is for reading json")
            more["flags"] = self.flags
        if self._is_foreign and (exact or dialect == "plain"):
            if dialect != "plain":
                raise click.UsageError("--attributes, --namespaces and --lists are for xml, with --from-dialect plain")
            more["attributes"], more["namespaces"] = self.attributes, self.namespaces
            more["lists"] = "repeated" if self.lists == ("repeated",) else self.lists
        try:
            return row.reading(self.values, dialect, self.limits, **more)
        except (TypeError, ValueError) as error:  # a charset or a path that there is not
            raise click.UsageError(printable(str(error))) from None

    @property
    def _is_foreign(self) -> bool:
        return bool(self.lists) or (self.attributes, self.namespaces) != ("refuse", "refuse")

    def _dialect_of(self, format: str, data: bytes) -> Dialect:
        """The dialect of a document that nobody names: a PHP file and a session are known by how they begin."""
        if format == ResultType.XML and (self._is_foreign or self.encoding != "utf-8"):
            return "plain"
        if format not in (ResultType.VAR_EXPORT, ResultType.SERIALIZE):
            return "typed"
        return next((dialect for found, dialect in candidates(data) if found == format), "typed")


_RAISE: Final = Hint("raise-limit", "max_bytes")


def load_source(data: bytes, format: str, options: ReadOptions) -> Any:
    """The value of the bytes that `SourceOptions.read` returned; `DecodeError` if they cannot be read."""
    check_size(data, format, options.limits.max_bytes, hint=_RAISE)
    return get_format(format).loads(data, options)


def check_dialect(option: str, format: str, dialect: str) -> None:
    """Raise a usage error if *format* has no such dialect."""
    dialects = get_format(format).dialects
    if dialect not in dialects:
        raise click.UsageError(f"{option} {dialect}: {format} has only {' and '.join(dialects)}")
