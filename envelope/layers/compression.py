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
    rest = data[start:]
    while True:
        stream = zlib.decompressobj(window)
        try:
            part = stream.decompress(rest, room)
        except zlib.error:
            return
        parts.append(part)
        room -= len(part)
        if room <= 0:
            break
        if not stream.eof:
            return
        rest = stream.unused_data
        if window != _GZIP or not rest.startswith(_GZIP_START):
            break
    end = len(data) - len(rest)
    if room <= 0 or not rest.strip(WHITE):
        yield Undone(b"".join(parts), start, len(data) if room <= 0 else end, is_decoded=True)
