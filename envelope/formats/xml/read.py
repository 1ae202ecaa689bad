"""Reading XML: from the raw prolog to the value.

The fast way (`tree`) parses a small document with lxml and walks its tree. Expat (`exact`) reads all else: a large
document (a tree takes thirty times the room), one that may hold what a tree hides, and one that the fast way refused,
which is read again to say where and why. Both parsers see a document only once its raw bytes show that it is UTF-8 and
has no DOCTYPE; so there are no entities, and nothing is fetched or expanded. What `foreign` reads, expat reads too.
In the plain dialect, a document in another charset can be made UTF-8 before.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from envelope.errors import DecodeError
from envelope.formats.common.charsets import UTF_8, UTF_8_LABELS, UTF_16, Charset, charset_of, checked_charset
from envelope.formats.common.cursor import Cursor
from envelope.formats.common.decoded import decoded
from envelope.formats.common.input import as_bytes
from envelope.formats.xml.exact import PlainBuilder, TypedBuilder, read_exactly
from envelope.formats.xml.foreign import ForeignBuilder, is_foreign
from envelope.formats.xml.rules import FORMAT, PASSED_OVER
from envelope.formats.xml.tree import parse, walk_plain, walk_typed
from envelope.hints import Hint
from envelope.options import DEFAULT_READING, ReadOptions

__all__ = ["loads"]


def loads(data: object, options: ReadOptions = DEFAULT_READING) -> Any:
    """Return the value of the document *data*; `DecodeError` if it is not one, or holds what is not a value."""
    cursor = Cursor(as_bytes(data, FORMAT, options.limits, options.encoding), FORMAT, options.limits)
    typed = options.dialect == "typed"
    if options.encoding == "utf-8":
        return _read(cursor, options, typed=typed, charset=None)
    charset = _declared_charset(cursor) if options.encoding == "declared" else checked_charset(options.encoding)
    if charset is not UTF_8:
        source = decoded(cursor.data, charset, FORMAT)
        cursor = Cursor(source.utf8, FORMAT, options.limits, source=source)
    return _read(cursor, options, typed=typed, charset=charset)


_UTF_8_MARK: Final = b"\xef\xbb\xbf"
_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16
_LARGE: Final = 1 << 20
# Where a comment, a processing instruction or a namespace may be.
_HIDDEN: Final = (b"<!--", b"<?", b"xmlns", b"xml:")


def _read(cursor: Cursor, options: ReadOptions, *, typed: bool, charset: Charset | None) -> Any:
    """Return the value of a document, or raise a `DecodeError`; what it declares counts only if *charset* is None."""
    data, limits = cursor.data, options.limits
    is_utf16 = data.startswith(_MARKS) and not typed
    declaration = _declaration(cursor, Hint("declared-encoding" if is_utf16 else "utf-8-only"))
    if charset is None and declaration.encoding not in UTF_8_LABELS:
        known = charset_of(declaration.encoding.decode())
        hint = Hint("utf-8-only" if known is None or known.name == UTF_16 else "declared-encoding")
        raise cursor.fail("a declared encoding other than UTF-8", declaration.at, kind="forbidden", hint=hint)
    start = _root_offset(cursor, declaration.end, typed=typed)
    _check_utf8(cursor, Hint("utf-8-only" if typed else "other-encoding"))
    if is_foreign(options):
        return read_exactly(cursor, ForeignBuilder(options))
    builder = TypedBuilder(limits) if typed else PlainBuilder(limits)
    if len(data) > _LARGE or any(data.find(mark, start) >= 0 for mark in _HIDDEN):
        return read_exactly(cursor, builder)
    tree = parse(data)
    if tree is None:
        read_exactly(cursor, builder)
        raise cursor.fail("well-formed to expat, but not to libxml2", start)
    try:
        return walk_typed(tree, limits) if typed else walk_plain(tree, limits)
    except DecodeError:
        pass  # after the handler, so that an error with a place does not have one without as its context
    return read_exactly(cursor, builder)


# Or what a cut leaves of it; any other `<?` is a processing instruction.
_DECLARATION: Final = re.compile(rb"<\?(?:xml[ \t\r\n?]|x?|xm|xml)")
_SPACE: Final = re.compile(rb"[ \t\r\n]*")  # it always matches, which the type checker does not know
_DECLARED: Final = {
    name: re.compile(rb"[ \t\r\n]+" + name + rb"[ \t\r\n]*=[ \t\r\n]*(?:\"([A-Za-z0-9._-]*)\"|'([A-Za-z0-9._-]*)')")
    for name in (b"version", b"encoding", b"standalone")
}


# What may precede the root element in the plain dialect. PHP's own source is no XML, though it begins like it.
_PASSED: Final = re.compile(rb"(?:(?!<\?(?:xml |(?i:php)[ \t\r\n]))(?:%b)[ \t\r\n]*+)*+" % PASSED_OVER, re.DOTALL)
# Of these, what is left there has no end, which expat says better.
_CUT: Final = re.compile(rb"<!--|<\?(?!(?i:php)[ \t\r\n])")
_OTHER_ROOT: Final = re.compile(rb"<(?!root[ \t\r\n/>])[^!?]")


class _Declaration(NamedTuple):
    """What a document declares: its encoding, which stands *at* some place, and where the declaration ends."""

    encoding: bytes
    at: int
    end: int


def _declared_charset(cursor: Cursor) -> Charset:
    """The charset of a document by its byte order mark or its declaration; UTF-8 if it has neither."""
    data = cursor.data
    if data.startswith(_MARKS) and data[2:4] != b"\0\0":
        return checked_charset(UTF_16)
    declaration = _declaration(cursor, Hint("charsets"))
    if data.startswith(_UTF_8_MARK):
        return UTF_8
    charset = charset_of(declaration.encoding.decode())
    if charset is None or charset.name == UTF_16:
        what = "a declared encoding that is not read"
        raise cursor.fail(what, declaration.at, kind="forbidden", hint=Hint("charsets"))
    return charset


def _declaration(cursor: Cursor, hint: Hint) -> _Declaration:
    """What is declared, if anything, after a byte order mark; *hint* is for what is no charset of single bytes."""
    data = cursor.data
    if data.startswith(b"\x1f\x8b"):  # gzip, which has NULs, too
        raise cursor.fail("expected '<'", 0)
    if data.startswith(_MARKS) or b"\0" in data[:4]:
        raise cursor.fail("UTF-16 or UTF-32", 0, kind="forbidden", hint=hint)
    start = len(_UTF_8_MARK) if data.startswith(_UTF_8_MARK) else 0
    if not _DECLARATION.fullmatch(data, start, start + 6):
        return _Declaration(b"utf-8", start, start)
    return _read_declaration(cursor, start)


def _root_offset(cursor: Cursor, pos: int, *, typed: bool) -> int:
    """Where the root element begins, with the comments and processing instructions before it in the plain dialect.

    From *pos* on, before that, is white space, and nothing else: a DOCTYPE never gets to a parser.
    """
    data = cursor.data
    pos = _SPACE.match(data, pos).end()  # type: ignore[union-attr]  # it matches anything
    root = _PASSED.match(data, pos).end()  # type: ignore[union-attr]  # it matches anything
    at = pos if typed else root
    if data.startswith(b"<?xml ", at):
        raise cursor.fail("a declaration that is not at the start", at)
    for token, what in ((b"<!DOCTYPE", "a DOCTYPE"), (b"<!--", "a comment"), (b"<?", "a processing instruction")):
        if data.startswith(token, at) and (typed or not _CUT.match(data, at)):
            hint = Hint("plain-dialect") if at < root and _OTHER_ROOT.match(data, root) else None
            raise cursor.fail(what, at, kind="forbidden", hint=hint)
    cursor.expect(b"<", at)
    return pos


def _read_declaration(cursor: Cursor, pos: int) -> _Declaration:
    """`<?xml version="1.0" encoding="utf-8" standalone="yes"?>`, the last two of which may be missing."""
    encoding, place = b"utf-8", pos
    pos = cursor.expect(b"<?xml", pos)
    for name, pattern in _DECLARED.items():
        match = pattern.match(cursor.data, pos)
        if match is None:
            if name == b"version":
                raise cursor.fail('expected version="1.0"', pos)
            continue
        text = (match[1] or match[2] or b"").lower()
        at = match.end() - len(text) - 1
        if name == b"version" and text != b"1.0":
            raise cursor.fail("a version of XML other than 1.0", at)
        if name == b"encoding":
            encoding, place = text, at
        if name == b"standalone" and text not in (b"yes", b"no"):
            raise cursor.fail("expected yes or no", at)
        pos = match.end()
    pos = cursor.expect(b"?>", _SPACE.match(cursor.data, pos).end())  # type: ignore[union-attr]
    return _Declaration(encoding, place, pos)


def _check_utf8(cursor: Cursor, hint: Hint) -> None:
    if not cursor.data.isascii():
        try:
            cursor.data.decode()
            return
        except UnicodeDecodeError as exc:
            bad = exc.start
        raise cursor.fail("not UTF-8", bad, hint=hint)  # after the handler, because that error holds the document
