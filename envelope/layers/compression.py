"""Compressed documents, whole and with their checksums; never more than a given number of bytes of them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from envelope.layers.ends import WHITE
from envelope.layers.layer import Undone

__all__ = ["deflate", "gzip", "zlib_stream"]

_GZIP, _ZLIB, _RAW = 31, 15, -15  # zlib's numbers for the three formats
_GZIP_START: Final = b"\x1f\x8b\x08"
_PIECE: Final = 1 << 14


def gzip(data: bytes, most: int) -> Iterator[Undone]:
    """gzip, in one part or several."""
    if data.startswith(_GZIP_START):
        yield from _expand(data, 0, _GZIP, most)


def zlib_stream(data: bytes, most: int) -> Iterator[Undone]:
    """zlib's format, as gzcompress writes it; behind Magento's `gz:`, or the size that MySQL's COMPRESS() adds."""
    for start in (0, 3 if data.startswith(b"gz:") else 4):
        head = data[start : start + 2]
        if len(head) == 2 and head[0] & 15 == 8 and int.from_bytes(head, "big") % 31 == 0:
            yield from _expand(data, start, _ZLIB, most)


def deflate(data: bytes, most: int) -> Iterator[Undone]:
    """What gzdeflate writes: nothing tells it from other bytes, so it is taken off only if somebody says so."""
    yield from _expand(data, 0, _RAW, most)


def _expand(data: bytes, start: int, window: int, most: int) -> Iterator[Undone]:
    parts: list[bytes] = []
    room = most + 1
    pos = start
    while room > 0:
        stream = zlib.decompressobj(window)
        # In pieces, because each stream copies what is left of its input behind it, and there may be many streams.
        while room > 0 and not stream.eof and pos < len(data):
            piece = data[pos : pos + _PIECE]
            try:
                part = stream.decompress(piece, room)
            except zlib.error:
                return
            parts.append(part)
            room -= len(part)
            pos += len(piece) - len(stream.unused_data)
        if room > 0 and not stream.eof:
            return
        if window != _GZIP or not data.startswith(_GZIP_START, pos):
            break
    if room <= 0:
        yield Undone(b"".join(parts), start, len(data), is_decoded=True)
    elif not data[pos:].strip(WHITE):
        yield Undone(b"".join(parts), start, pos, is_decoded=True)
