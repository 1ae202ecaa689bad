"""White space and byte order marks around a document."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Final

from envelope.layers.layer import Undone

__all__ = ["WHITE", "bom", "line_end", "space"]

WHITE: Final = b" \t\r\n"

_WIDE: Final = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def line_end(data: bytes, _: int) -> Iterator[Undone]:
    """One line end behind, and no other white space."""
    end = len(data) - (2 if data.endswith(b"\r\n") else 1)
    if data.endswith(b"\n") and data.strip(WHITE) == data[:end]:
        yield Undone(data[:end], 0, end)


def space(data: bytes, _: int) -> Iterator[Undone]:
    """White space on both sides."""
    start = len(data) - len(data.lstrip(WHITE))
    inner = data.strip(WHITE)
    if inner and len(inner) < len(data):
        yield Undone(inner, start, start + len(inner))


def bom(data: bytes, _: int) -> Iterator[Undone]:
    """A byte order mark; UTF-16 becomes UTF-8."""
    if data.startswith(codecs.BOM_UTF8):
        yield Undone(data[3:], 3, len(data))
    for mark, charset in _WIDE:
        if data.startswith(mark):
            try:
                text = data[2:].decode(charset).encode()
            except UnicodeError:
                return
            yield Undone(text, 2, len(data), is_decoded=True, detail=charset)
