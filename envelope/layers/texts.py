"""Text around a document: PHP's messages, guards, times of expiry, lines, and calls of JSONP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from envelope.formats.common.wrapped import lines_end
from envelope.formats.common.wrapping import guard_end, jsonp_end, notices_end
from envelope.layers.layer import Undone

__all__ = ["expiry", "guard", "jsonp", "lines", "notice"]

_STRAY_BEFORE: Final = re.compile(rb"(?:-1|[01])\s*+(?=[^\s0-9.])")
_STRAY_BEHIND: Final = re.compile(rb"(?<=[^\s0-9.])\s*(?:-1|[01])\s*\Z")
_MESSAGE_BEHIND: Final = re.compile(rb"(?:\r?\n)?<br ?/?>\r?\n<b>|(?:\r?\n)(?:PHP )?(?:Notice|Warning|Deprecated): ")
_TAIL: Final = 8192
"""How many bytes at the end may be such a thing."""


def notice(data: bytes, _: int) -> Iterator[Undone]:
    """Messages of display_errors, a stray digit, a comment of HTML behind."""
    start = notices_end(data)
    if match := _STRAY_BEFORE.match(data, start):
        start = match.end()
    end = _behind(data, start)
    if start and start < end < len(data):
        yield Undone(data[start:end], start, end)
    if start and start < len(data):
        yield Undone(data[start:], start, len(data))
    if 0 < end < len(data):
        yield Undone(data[:end], 0, end)


def _behind(data: bytes, start: int) -> int:
    """Where what stands behind a document begins."""
    first = max(start, len(data) - _TAIL)
    tail = data[first:]
    if match := _STRAY_BEHIND.search(tail, max(len(tail) - 20, 0)):
        tail = tail[: match.start()]
    if tail.rstrip().endswith(b"-->"):
        while tail.rstrip().endswith(b"-->") and (begin := tail.rfind(b"<!--")) >= 0:
            tail = tail[:begin].rstrip()
    for match in _MESSAGE_BEHIND.finditer(tail):
        if notices_end(tail, match.start()) == len(tail):
            tail = tail[: match.start()]
            break
    return first + len(tail)


def guard(data: bytes, _: int) -> Iterator[Undone]:
    """PHP code that ends, so that nobody sees the file through a web server."""
    end = guard_end(data)
    if 0 < end < len(data):
        yield Undone(data[end:], end, len(data))


_EXPIRY: Final = re.compile(rb"[0-9]{10}(\r?\n)?")


def expiry(data: bytes, _: int) -> Iterator[Undone]:
    """Ten digits, a time in seconds, with or without a line end."""
    if (match := _EXPIRY.match(data)) and match.end() < len(data):
        yield Undone(data[match.end() :], match.end(), len(data))
        if match[1]:
            yield Undone(data[10:], 10, len(data))


def lines(data: bytes, _: int) -> Iterator[Undone]:
    """A few lines of text, none of which looks like a document, before one that does."""
    if end := lines_end(data):
        yield Undone(data[end:], end, len(data))


_CALL_END: Final = re.compile(rb"\)\s*;?\s*\Z")


def jsonp(data: bytes, _: int) -> Iterator[Undone]:
    """A call around JSON, or what keeps it from being run as a script."""
    start = jsonp_end(data)
    if not start:
        return
    end = len(data)
    if data[start - 1 : start] == b"(":
        match = _CALL_END.search(data, max(len(data) - 200, start))
        if match is None:
            return
        end = match.start()
    if start < end:
        yield Undone(data[start:end], start, end)
