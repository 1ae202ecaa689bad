"""Documents in letters and digits: base64 and hexadecimal."""

from __future__ import annotations

import base64 as standard
import binascii
import re
from collections.abc import Iterator
from typing import Final

from envelope.layers.layer import Undone

__all__ = ["base64", "hexadecimal"]

_BASE64: Final = re.compile(rb"\s*+([A-Za-z0-9+/_\s-]*+(?:(?:=|%3[Dd]){1,2})?)\s*+\Z")
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


def base64(data: bytes, _: int) -> Iterator[Undone]:
    """base64, of either alphabet, with or without line ends and padding; nothing else, and no bits left over."""
    match = _BASE64.match(data)
    if match is None:
        return
    text = match[1].translate(None, b" \t\r\n\v\f").replace(b"%3D", b"=").replace(b"%3d", b"=")
    letters = text.rstrip(b"=")
    url_safe = b"-" in letters or b"_" in letters
    if url_safe:
        if b"+" in letters or b"/" in letters:
            return
        letters = letters.translate(_URL_SAFE)
    if not letters or (len(text) > len(letters) and len(text) % 4):
        return
    try:
        found = standard.b64decode(letters + b"=" * (-len(letters) % 4), validate=True)
    except binascii.Error:
        return
    if standard.b64encode(found).rstrip(b"=") == letters:
        yield Undone(found, *match.span(1), is_decoded=True, detail="url-safe" if url_safe else "")


# PostgreSQL's bytea, also as COPY writes it; MySQL's HEX() and literals; a byte at a time as in Python and C.
_HEX: Final = re.compile(rb"\s*+(?:\\?\\x|0[xX]|[xX](?:'(?=[^']*+'\s*+\Z))?)?([0-9A-Fa-f]++)'?\s*+\Z")
_EACH: Final = re.compile(rb"\s*+\\x[0-9A-Fa-f]{2}\\x[0-9A-Fa-f\\x]*+\s*+\Z")


def hexadecimal(data: bytes, _: int) -> Iterator[Undone]:
    """An even number of hexadecimal digits, after a prefix if there is one."""
    match = _HEX.match(data)
    if match:
        digits, start, end, detail = match[1], match.start(1), match.end(1), ""
    elif _EACH.match(data):
        stripped = data.strip()
        digits = stripped.replace(b"\\x", b"")
        start = data.find(b"\\")
        end, detail = start + len(stripped), "\\x before each byte"
        if len(digits) * 2 != len(stripped):
            return
    else:
        return
    if len(digits) % 2 == 0 and b"\\" not in digits and b"x" not in digits:
        yield Undone(bytes.fromhex(digits.decode()), start, end, is_decoded=True, detail=detail)
