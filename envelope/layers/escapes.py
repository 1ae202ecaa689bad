r"""Documents in which something escaped the quotes: backslashes of addslashes and SQL, and quotes doubled by CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from envelope.layers.layer import Undone

__all__ = ["doubled_quotes", "slashes"]

_QUOTE: Final = re.compile(rb"[\"']")
_C_ESCAPE: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)
# What stripcslashes has, and MySQL's \Z.
_LETTERS: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "v": "\v", "b": "\b", "f": "\f", "Z": "\x1a"}


def slashes(data: bytes, _: int) -> Iterator[Undone]:
    r"""Backslashes before quotes: as PHP's stripslashes takes them off, else as its stripcslashes does."""
    for start, end in _insides(data):
        quote = _QUOTE.search(data, start, end)
        if quote is None or data[quote.start() - 1 : quote.start()] != b"\\" or quote.start() == start:
            continue
        text = data[start:end].decode("latin-1")
        # Pairs of backslashes are found from the left.
        parts = [part.replace("\\0", "\0").replace("\\", "") for part in text.split("\\\\")]
        yield Undone("\\".join(parts).encode("latin-1"), start, end, is_decoded=True, detail="stripslashes")
        yield Undone(
            _C_ESCAPE.sub(_unescaped, text).encode("latin-1"), start, end, is_decoded=True, detail="stripcslashes"
        )


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    if match[2]:
        return chr(int(match[2], 8) & 255)
    return _LETTERS.get(match[3], match[3])


_ODD: Final = re.compile(rb'(?<!")"(?:"")*+(?!")')


def doubled_quotes(data: bytes, _: int) -> Iterator[Undone]:
    """Each double quote twice, with or without the quotes of a CSV cell around."""
    for start, end in _insides(data, b'"'):
        if data.find(b'""', start, end) >= 0 and not _ODD.search(data[start:end]):
            yield Undone(data[start:end].replace(b'""', b'"'), start, end, is_decoded=True)


def _insides(data: bytes, quotes: bytes = b"\"'") -> Iterator[tuple[int, int]]:
    """All of the data, and what is between quotes around it."""
    yield 0, len(data)
    if len(data) > 1 and data[:1] in quotes and data[:1] == data[-1:]:
        yield 1, len(data) - 1
