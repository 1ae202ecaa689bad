"""Server-sent events: taken apart while they arrive, each bounded, their bytes kept; and written.

    stream = *event
    event  = *( line end-of-line ) end-of-line       end-of-line: CR LF, LF or CR

What an event says is in its ``data:`` lines, joined by LF. One without any is a comment, which keeps a connection
awake.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

__all__ = ["DONE", "EventReader", "TooLong", "data_of", "event_of"]

DONE: Final = b"[DONE]"
"""The data of the event that ends a stream of OpenAI's."""

_END: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")
_LONGEST_END: Final = 4
_LINES: Final = re.compile(rb"\r\n|\n|\r")


class TooLong(Exception):
    """An event is longer than is read."""


class EventReader:
    """Takes a stream apart. Never more than *max_bytes* of an event that has not ended are in memory."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that end in *chunk*, each with its last empty line. `TooLong` if one has no end in time."""
        searched = max(len(self._rest) - _LONGEST_END, 0)
        self._rest += chunk
        ends = [end.end() for end in _END.finditer(self._rest, searched)]
        events = [bytes(self._rest[start:end]) for start, end in pairwise((0, *ends))]
        if ends:
            del self._rest[: ends[-1]]
        if len(self._rest) > self._max_bytes:
            raise TooLong
        return events


def data_of(event: bytes) -> bytes | None:
    """What *event* says; None if it is a comment."""
    line = event.rstrip(b"\r\n")
    if line.startswith(b"data: ") and b"\n" not in line and b"\r" not in line:  # as nearly all are
        return line[6:]
    found = [line for line in _LINES.split(event) if line.startswith(b"data:") or line == b"data"]
    return b"\n".join(line[5:].removeprefix(b" ") for line in found) if found else None


def event_of(data: bytes, name: bytes = b"") -> bytes:
    """The event that says *data*, which has no CR."""
    head = b"event: %b\n" % name if name else b""
    return head + b"".join(b"data: %b\n" % line for line in data.split(b"\n")) + b"\n"
