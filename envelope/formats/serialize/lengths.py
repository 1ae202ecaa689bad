"""Why a string is not as long as it was declared: guesses for hints and repairs, after reading failed."""

from __future__ import annotations

import re
from typing import Final

from envelope.hints import Hint, HintName

__all__ = ["STRING_END", "cause_of", "length_hint", "nearest_end"]

STRING_END: Final = re.compile(rb'";(?=(N;|[bidrR]:[-+.0-9IN]|[sSaOCE]:[0-9])|\}|\Z)')
"""What ends a string, if what follows is a value or a key (its group), the end of a container or of the input."""


def nearest_end(data: bytes, start: int, size: int) -> int:
    """Return where the string that begins at *start* ends: nearest to its declared *size*, and going on as it must.

    If nothing goes on so, it is the first end that looks like one; -1 if there is none.
    """
    before = -1
    for match in STRING_END.finditer(data, start):
        end = match.start()
        if end >= start + size:
            is_nearer = before < 0 or end - (start + size) <= start + size - before
            return end if is_nearer else before
        before = end
    return before if before >= 0 else data.find(b'";', start)


def cause_of(body: bytes, size: int) -> HintName:
    """Return what may have happened to a string of declared *size* that is now *body*."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return "re-encoded"
    if "\ufffd" in text and size < len(body):
        return "replaced"
    for charset in ("latin-1", "cp1252"):
        try:
            once = text.encode(charset)
            once.decode()
        except UnicodeError:
            continue
        if len(once) == size and not once.isascii():
            return "encoded-twice"
    if len(text) == size:
        return "latin-1" if text.isprintable() and _is_western(text) else "length-in-characters"
    if size - len(body) == body.count(b"\n") and b"\r" not in body:
        return "line-ends"
    return "re-encoded"


def length_hint(body: bytes, size: int) -> Hint:
    """Return the hint for a string of declared *size* that is now *body*: how far off it is, and why."""
    off = len(body) - size
    return Hint(cause_of(body, size), abs(off), "shorter than declared" if off < 0 else "longer than declared")


def _is_western(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
