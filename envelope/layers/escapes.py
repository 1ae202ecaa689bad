r"""Documents in which something escaped the quotes: backslashes of addslashes and SQL, and quotes doubled by CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from envelope.layers.layer import Undone

__all__ = ["doubled_quotes", "slashes"]

_QUOTE: Final = re.compile(rb"[\"']")
# A backslash, after pairs of them were cut out, that does not begin an escape of the dialect.
_BEYOND_ADDSLASHES: Final = re.compile(r"\\(?![0'\"])")
_BEYOND_SQL: Final = re.compile(r"\\(?![0'\"bnrtZ])")
_BEYOND_C: Final = re.compile(r"\\(?![0-7'\"abfnrtv]|x[0-9A-Fa-f])")
_SQL_ESCAPE: Final = re.compile(r"\\([0bnrtZ'\"])")
_SQL: Final = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
_C_ESCAPE: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|(.))")
_C: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "v": "\v", "b": "\b", "f": "\f"}


def slashes(data: bytes, _: int) -> Iterator[Undone]:
    r"""Backslashes before quotes, and what else their writer escaped.

    What has the escapes of addslashes alone was written by it. Then come MySQL's, those of stripcslashes, and a writer
    that escaped quotes and nothing else, as `\"` within JSON whose own escapes stand.
    """
    for start, end in _insides(data):
        quote = _QUOTE.search(data, start, end)
        if quote is None or quote.start() == start or data[quote.start() - 1] != 0x5C:
            continue
        # Pairs of backslashes are found from the left. As text, because joining bytes takes eighty more for each part.
        parts = data[start:end].decode("latin-1").split("\\\\")
        for detail, undone in _ways(parts):
            yield Undone("\\".join(undone).encode("latin-1"), start, end, is_decoded=True, detail=detail)
        both = "\\\\".join(part.replace('\\"', '"').replace("\\'", "'") for part in parts)
        yield Undone(both.encode("latin-1"), start, end, is_decoded=True, detail="quotes")


def _ways(parts: list[str]) -> Iterator[tuple[str, list[str]]]:
    if not any(map(_BEYOND_ADDSLASHES.search, parts)):
        yield "stripslashes", [part.replace("\\0", "\0").replace("\\", "") for part in parts]
    elif not any(map(_BEYOND_SQL.search, parts)):
        yield "sql", [_SQL_ESCAPE.sub(lambda match: _SQL.get(match[1], match[1]), part) for part in parts]
    if not any(map(_BEYOND_C.search, parts)):
        yield "stripcslashes", [_C_ESCAPE.sub(_unescaped, part) for part in parts]


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    if match[2]:
        return chr(int(match[2], 8) & 255)
    return _C.get(match[3], match[3])


_ODD: Final = re.compile(rb'(?<!")"(?:"")*+(?!")')


def doubled_quotes(data: bytes, _: int) -> Iterator[Undone]:
    """Each double quote twice, with or without the quotes of a CSV cell around."""
    for start, end in _insides(data, b'"'):
        inner = data[start:end]
        if b'""' in inner and not _ODD.search(inner):
            yield Undone(inner.replace(b'""', b'"'), start, end, is_decoded=True)


def _insides(data: bytes, quotes: bytes = b"\"'") -> Iterator[tuple[int, int]]:
    """All of the data, and what is between quotes around it."""
    yield 0, len(data)
    if len(data) > 1 and data[:1] in quotes and data[:1] == data[-1:]:
        yield 1, len(data) - 1
