"""Small real PNGs, made of nothing but their names."""

from __future__ import annotations

import struct
import zlib
from typing import Final

__all__ = ["png"]

_SIDE: Final = 32
_CELL: Final = 4


def png(digest: bytes) -> bytes:
    """A picture of 32 by 32 pixels: squares in two colours, mirrored, as the 32 bytes of *digest* have it."""
    colours = digest[:3], digest[3:6]
    rows = []
    for y in range(_SIDE):
        bits = digest[8 + y // _CELL]
        half = [colours[bits >> (x // _CELL) & 1] for x in range(_SIDE // 2)]
        rows.append(b"\0" + b"".join(half + half[::-1]))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)),
            _chunk(b"IDAT", zlib.compress(b"".join(rows))),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
