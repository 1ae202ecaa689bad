"""Hints for what could not be read because something stands around the document, which `envelope.layers` takes off."""

from __future__ import annotations

import binascii
import re
from typing import Final

from envelope.formats.common.wrapping import HTML_PAGE, guard_end, jsonp_end, notices_end
from envelope.formats.detection import detect
from envelope.hints import Hint

__all__ = ["behind_hint", "lines_end", "wrapping_hint"]

_MOST_LINES: Final = 32
_MOST_TEXT: Final = 8192
_NO_TEXT: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def lines_end(data: bytes) -> int:
    """Return the place after a few lines of text, none of which looks like a document, before one that does; or 0.

    Numbers and words are no documents here: they are lines, too.
    """
    head = data[: 2 * _MOST_TEXT]
    pos = 0
    for _ in range(_MOST_LINES):
        if _looks(head[pos:]) and head[pos] not in b"-0123456789tfn":
            return pos
        after = head.find(b"\n", pos, _MOST_TEXT) + 1
        if not after or _NO_TEXT.search(head, pos, after):
            break
        pos = after
    return 0


_NEAR: Final = 64
_HEAD: Final = 1024
"""How many bytes at the beginning are looked at for a hint."""

_MAGIC: Final = (
    ("gzip", re.compile(rb"\x1f\x8b\x08")),
    ("zlib", re.compile(rb"(?:gz:)?\x78[\x01\x5e\x9c\xda]")),
    ("bom", re.compile(rb"\xef\xbb\xbf|\xff\xfe|\xfe\xff")),
)
# A map or a list whose first text is within 31 bytes, which no text in UTF-8 begins like.
_MESSAGE_PACK: Final = re.compile(rb"[\x81-\x8f\x91-\x9f][\xa1-\xbf][ -~]")
_IGBINARY: Final = re.compile(rb"\0\0\0[\x01\x02][\x00-\x1f]")
_TEN_DIGITS: Final = re.compile(rb"[0-9]{10}(?:\r?\n)?(?=[^0-9\s])")
_BLANK: Final = re.compile(rb"[ \t\r\n]++")
_HEX_DIGITS: Final = re.compile(rb"(?:\\?\\x|0[xX]|[xX]'?)?([0-9A-Fa-f]{2,}+)")
_EACH_HEX: Final = re.compile(rb"(?:\\x[0-9A-Fa-f]{2}){2,}+")
_BASE64_LETTERS: Final = re.compile(rb"[A-Za-z0-9+/_\s-]++")
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


def wrapping_hint(data: bytes, offset: int = 0, format: str = "") -> Hint | None:
    """Return the hint for *data* that could not be read at *offset* because something stands around the document.

    *format* is what was expected. Only the beginning is looked at, and only the first quote.
    """
    if name := _escaping(data, offset):
        return Hint("wrapped", name)
    if offset > _NEAR:
        return None
    head = data[:_HEAD]
    name = next((name for name, magic in _MAGIC if magic.match(head)), "")
    if name:
        return Hint("wrapped", name)
    if HTML_PAGE.match(head, _end_of(_BLANK, head)):
        return None if format == "xml" else Hint("html-page")
    if _IGBINARY.match(head) or _MESSAGE_PACK.match(head):
        return Hint("not-read", "igbinary" if head[0] == 0 else "MessagePack")
    name = _before(head, offset, format)
    return Hint("wrapped", name) if name else None


def behind_hint(rest: bytes) -> Hint | None:
    """Return the hint for the *rest* that follows a whole document."""
    tail = rest[:_HEAD].strip()
    if not tail and not rest.strip():
        return Hint("strip-space")
    is_notice = tail in (b"0", b"1", b"-1") or tail.startswith(b"<!--") or notices_end(tail) > 0
    return Hint("wrapped", "notice") if is_notice else None


def _before(head: bytes, offset: int, format: str) -> str:
    """The name of the layer that a *head* begins with, ``""`` if it is none that is known."""
    if notices_end(head):
        return "notice"
    if guard_end(head):
        return "guard"
    if _looks(head):
        blank = _end_of(_BLANK, head)
        return "space" if blank and offset <= blank and _looks(head, format) else ""
    if (end := jsonp_end(head)) and _looks(head[end:]):
        return "jsonp"
    if (end := _end_of(_TEN_DIGITS, head)) and _looks(head[end:]):
        return "expiry"
    return _in_letters(head) or ("lines" if lines_end(head) else "")


def _in_letters(head: bytes) -> str:
    """``"hex"`` or ``"base64"`` if the head of a document, or of something compressed, is written so."""
    start = _end_of(_BLANK, head)
    if match := _EACH_HEX.match(head, start):
        digits = match[0].replace(b"\\x", b"")
    else:
        match = _HEX_DIGITS.match(head, start)
        digits = match[1] if match else b""
    if digits and _is_head(binascii.unhexlify(digits[: len(digits) & ~1])):
        return "hex"
    letters = _BASE64_LETTERS.match(head, start)
    text = letters[0].translate(_URL_SAFE, b" \t\r\n\v\f") if letters else b""
    size = len(text) & ~3 if len(head) == _HEAD else len(text)
    if size < 4 or size % 4 == 1:
        return ""
    padded = text[:size] + b"=" * (-size % 4)
    return "base64" if _is_head(binascii.a2b_base64(padded)) else ""


def _is_head(decoded: bytes) -> bool:
    return _looks(decoded) or any(magic.match(decoded) for _, magic in _MAGIC[:2])


def _looks(head: bytes, format: str = "") -> bool:
    """Whether something begins like a document, of this *format* if one is given."""
    found = detect(head)
    return found is not None and format in ("", found[0])


def _escaping(data: bytes, offset: int) -> str:
    """What was done to all quotes, if the first of them shows it and the reader failed at one."""
    first = re.search(rb"[\"']", data)
    if first is None:
        return ""
    at = first.start()
    if data[max(at - 1, 0) : at] == b"\\" and data[offset : offset + 1] in (b"\\", b'"', b"'"):
        return "slashes"
    is_doubled = data[at : at + 2] == b'""' and data[at + 2 : at + 3] not in (b"", b";", b",", b":", b"]", b"}", b" ")
    return "doubled-quotes" if is_doubled and offset >= at else ""


def _end_of(pattern: re.Pattern[bytes], head: bytes) -> int:
    match = pattern.match(head)
    return match.end() if match else 0
