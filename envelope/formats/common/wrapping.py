"""What stands before documents, and is none of its own: how it looks, and where it ends."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["HTML_PAGE", "guard_end", "jsonp_end", "notices_end"]

HTML_PAGE: Final = re.compile(rb"<!DOCTYPE\s++html|<html[\s>]", re.IGNORECASE)

_LEVEL: Final = (
    rb"(?:Notice|Warning|Deprecated|Strict Standards|Fatal error|Parse error|Catchable fatal error"
    rb"|Recoverable fatal error)"
)
# How display_errors begins and ends a message, in HTML and in text; the message itself may have several lines.
_MESSAGES: Final = (
    (
        re.compile(rb"(?:\r?\n)?(?:<br ?/?>\r?\n)?<b>%b</b>: " % _LEVEL),
        re.compile(rb" on line <b>[0-9]{1,9}</b>(?:<br ?/?>)?(?:\r?\n)?"),
    ),
    (re.compile(rb"(?:\r?\n)?(?:PHP )?%b: " % _LEVEL), re.compile(rb" on line [0-9]{1,9}(?:\r?\n|\Z)")),
)


def notices_end(data: bytes, pos: int = 0) -> int:
    """Return the place after the messages of PHP that stand at *pos*; *pos* if none does."""
    while True:
        before = pos
        for start, end in _MESSAGES:
            if (head := start.match(data, pos)) and (tail := end.search(data, head.end())):
                pos = tail.end()
        if pos == before:
            return pos


_MOST_CODE: Final = 1000  # bytes; a guard is short
_PHP: Final = re.compile(rb"<\?(?:php\b|(?=\s|exit|die))", re.IGNORECASE)
_EXIT: Final = re.compile(rb"\b(?:exit|die|__halt_compiler)\b|\breturn\s*+(?:;|\Z)", re.IGNORECASE)
# PHP drops the line end behind `?>`; Joomla's caches have a mark there.
_BEHIND_GUARD: Final = re.compile(rb"(?:\r?\n)?(?:#x#)?")


def guard_end(data: bytes) -> int:
    """Return the place after PHP code that ends, if it is run, before what follows is sent; 0 if there is none."""
    head = _PHP.match(data)
    end = data.find(b"?>", 0, _MOST_CODE) if head else -1
    if head is None or end < 0 or not _EXIT.search(data, head.end(), end):
        return 0
    return _BEHIND_GUARD.match(data, end + 2).end()  # type: ignore[union-attr]  # it always matches


_CALL: Final = re.compile(rb"\s*+(?:/\*.{0,200}?\*/\s*+)?[A-Za-z_$][\w$.\[\]]{0,200}\s*+\(")
_PREFIX: Final = re.compile(rb"\)\]\}'?,?\r?\n?|(?:while ?\(1\)|for ?\(;;\)|throw 1);\r?\n?|\{\} ?&& ?")


def jsonp_end(data: bytes) -> int:
    """Return the place after the name of a function and `(`, or after what keeps JSON from being run; 0 if none is."""
    match = _PREFIX.match(data) or _CALL.match(data)
    return match.end() if match else 0
