"""Reading XML: from the raw prolog to the value.

The fast way (`tree`) parses a small document with lxml and walks its tree. Expat (`exact`) reads all else: a large
document (a tree takes thirty times the room), one that may hold what a tree hides, and one that the fast way refused,
which is read again to say where and why. Both parsers see a document only once its raw bytes show that it is UTF-8 and
has no DOCTYPE; so there are no entities, and nothing is fetched or expanded.
"""

from __future__ import annotations

import re
from typing import Any, Final

from envelope.errors import DecodeError
from envelope.formats.common.cursor import Cursor
from envelope.formats.common.input import as_bytes
from envelope.formats.xml.exact import PlainBuilder, TypedBuilder, read_exactly
from envelope.formats.xml.rules import FORMAT
from envelope.formats.xml.tree import parse, walk_plain, walk_typed
from envelope.hints import Hint
from envelope.limits import Limits
from envelope.options import DEFAULT_READING, ReadOptions

__all__ = ["loads"]


def loads(data: object, options: ReadOptions = DEFAULT_READING) -> Any:
    """Return the value of the document *data*; `DecodeError` if it is not one, or holds what is not a value."""
    limits = options.limits
    return _read(as_bytes(data, FORMAT, limits), limits, typed=options.dialect == "typed")


_LARGE: Final = 1 << 20
# Where a comment, a processing instruction or a namespace may be.
_HIDDEN: Final = (b"<!--", b"<?", b"xmlns", b"xml:")


def _read(data: bytes, limits: Limits, *, typed: bool) -> Any:
    """Return the value of the document *data*, or raise a `DecodeError`."""
    cursor = Cursor(data, FORMAT, limits)
    root = _root_offset(cursor)
    _check_utf8(cursor)
    builder = TypedBuilder(limits) if typed else PlainBuilder(limits)
    if len(data) > _LARGE or any(data.find(mark, root) >= 0 for mark in _HIDDEN):
        return read_exactly(cursor, builder)
    tree = parse(data)
    if tree is None:
        read_exactly(cursor, builder)
        raise cursor.fail("well-formed to expat, but not to libxml2", root)
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


def _root_offset(cursor: Cursor) -> int:
    """Where the root element begins: after a BOM, a declaration of UTF-8 and white space, and nothing else."""
    data = cursor.data
    if data.startswith(b"\x1f\x8b"):  # gzip, which has NULs, too
        raise cursor.fail("expected '<'", 0)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
        raise cursor.fail("UTF-16 or UTF-32", 0, kind="forbidden", hint=Hint("utf-8-only"))
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    pos = _declaration_end(cursor, start) if _DECLARATION.fullmatch(data, start, start + 6) else start
    pos = _SPACE.match(data, pos).end()  # type: ignore[union-attr]  # it matches anything
    if data.startswith(b"<?xml ", pos):
        raise cursor.fail("a declaration that is not at the start", pos)
    for token, what in ((b"<!DOCTYPE", "a DOCTYPE"), (b"<!--", "a comment"), (b"<?", "a processing instruction")):
        if data.startswith(token, pos):
            raise cursor.fail(what, pos, kind="forbidden")
    cursor.expect(b"<", pos)
    return pos


def _declaration_end(cursor: Cursor, pos: int) -> int:
    """The end of `<?xml version="1.0" encoding="utf-8" standalone="yes"?>`, the last two of which may be missing."""
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
        if name == b"encoding" and text != b"utf-8":
            raise cursor.fail("a declared encoding other than UTF-8", at, kind="forbidden", hint=Hint("utf-8-only"))
        if name == b"standalone" and text not in (b"yes", b"no"):
            raise cursor.fail("expected yes or no", at)
        pos = match.end()
    return cursor.expect(b"?>", _SPACE.match(cursor.data, pos).end())  # type: ignore[union-attr]


def _check_utf8(cursor: Cursor) -> None:
    if not cursor.data.isascii():
        try:
            cursor.data.decode()
            return
        except UnicodeDecodeError as exc:
            bad = exc.start
        raise cursor.fail("not UTF-8", bad)  # after the handler, because that error holds the document
