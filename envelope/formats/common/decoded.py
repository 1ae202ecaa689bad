"""Documents that are decoded as a whole before they are read: what they are in UTF-8, and where that stood."""

from __future__ import annotations

import codecs
from typing import Final

from envelope.errors import DecodeError
from envelope.formats.common.charsets import UTF_16, Charset
from envelope.hints import Hint

__all__ = ["Decoded", "decoded"]

_CHUNK: Final = 1 << 16
_MARKS: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class Decoded:
    """The bytes of a document in some charset. ``utf8`` is its text."""

    __slots__ = ("charset", "codec", "data", "start", "utf8")

    def __init__(self, data: bytes, charset: Charset) -> None:
        self.data = data
        self.charset = charset
        self.codec = charset.codec
        self.start = 0  # of the text, after UTF-16's byte order mark
        if charset.name == UTF_16:
            self.codec, self.start = _MARKS[data[:2]], 2
            self.utf8 = data[2:].decode(self.codec).encode()
        else:
            self.utf8 = charset.decode(data).encode()

    def place(self, pos: int) -> int:
        """Return where the character at byte *pos* of the UTF-8 stands in the document, at its end if it is no more."""
        if pos >= len(self.utf8):
            return len(self.data)
        left = len(self.utf8[:pos].decode("utf-8", "ignore"))  # characters before it
        decoder = codecs.getincrementaldecoder(self.codec)(self.charset.errors)
        start = self.start
        while True:
            state = decoder.getstate()
            found = len(decoder.decode(self.data[start : start + _CHUNK]))
            if found > left:
                break
            left -= found
            start += _CHUNK
        # In this chunk, or half in the one before: byte by byte to the last of the characters before it.
        decoder.setstate(state)
        start -= len(state[0])
        end = start + len(state[0])
        while left > 0:
            found = len(decoder.decode(self.data[end : end + 1]))
            left, end = left - found, end + 1
            if found and left >= 0:
                start = end
        return start


def decoded(data: bytes, charset: Charset, format: str) -> Decoded:
    """Return *data* decoded; `DecodeError` if it does not fit the *charset*, or is UTF-16 without its mark."""
    if charset.name == UTF_16 and data[:2] not in _MARKS:
        raise DecodeError("UTF-16 without a byte order mark", kind="forbidden", format=format, hint=Hint("charsets"))
    try:
        return Decoded(data, charset)
    except UnicodeDecodeError as exc:
        bad = exc.start
    # After the handler, because that error holds the document.
    bad += 2 * (charset.name == UTF_16)
    raise DecodeError(f"not {charset.name.upper()}", format=format, offset=bad, hint=Hint("other-encoding"))
