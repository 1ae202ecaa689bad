"""What goes to a worker and what comes back, and a stream of bytes cut into chunks of whole records."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from envelope.conversion.documents import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CHUNK", "BadRecord", "Chunk", "Framing", "LongRecord", "Outcome", "Position", "Stream", "cut", "too_long"]

CHUNK: Final = 1024 * 1024
"""Bytes of a chunk, but for a longer record, which is one by itself. Outputs depend on it where they are compressed."""


class Position(NamedTuple):
    """A place between two records: ``offset`` counts bytes from 0, ``line`` is the number of the next line, from 1."""

    offset: int
    line: int


class Chunk(NamedTuple):
    """Whole records: ``length`` bytes from ``offset`` of the input on.

    ``data`` is None where it is still in the file, and empty where it is one record beyond the limit, which was passed
    over and had this many ``lines``; of all others the lines are counted where they are converted.
    """

    data: bytes | None
    offset: int
    length: int
    lines: int = 0


class BadRecord(NamedTuple):
    """A record that was set aside: where it begins (from 0 at its chunk), how long it is, why, and what it says."""

    line: int
    offset: int | None
    length: int
    fault: Fault
    raw: bytes | None


class Outcome(NamedTuple):
    """What became of a chunk: the bytes to write, what they were made of, the records set aside, the losses by kind."""

    output: bytes | memoryview
    length: int
    lines: int
    records: int
    bad: list[BadRecord]
    losses: Counter[str]


class Stream(Protocol):
    """What bytes are read from: at most *size* of them, none at the end."""

    def read(self, size: int, /) -> bytes:
        """Fewer are no sign of the end."""


class LongRecord(Protocol):
    """Looks for the end of one record in piece after piece."""

    lines: int

    def end_in(self, piece: bytes) -> int:
        """Where the record ends in the next piece; -1 where it goes on."""


class Framing(Protocol):
    """How records follow each other."""

    def last_end(self, data: bytes) -> int:
        """Where the last whole record in *data* ends, which begins with one; 0 where there is none."""

    def long_record(self) -> LongRecord:
        """For a record that is longer than a chunk."""


def cut(stream: Stream, framing: Framing, offset: int, max_bytes: int) -> Iterator[Chunk]:
    """The chunks from *offset* on, where *stream* stands.

    No more is held than a chunk and a record of *max_bytes*: what is longer is passed over, and its chunk is empty.
    """
    rest = b""
    while data := rest + _read_all(stream, CHUNK - len(rest)):
        size = framing.last_end(data)
        if len(data) < CHUNK:  # the end of the input
            size = len(data)
        if size:
            rest = data[size:]
            chunk = Chunk(data[:size], offset, size)
        else:
            data, rest, length, lines = _read_long(stream, framing.long_record(), data, max_bytes)
            chunk = Chunk(data, offset, length, lines)
        yield chunk
        offset += chunk.length


def _read_all(stream: Stream, size: int) -> bytes:
    """*size* bytes, fewer only at the end: a pipe hands over what it has."""
    pieces = []
    while size and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _read_long(stream: Stream, record: LongRecord, data: bytes, max_bytes: int) -> tuple[bytes, bytes, int, int]:
    """The record that *data* begins, what was read behind it, its length, its lines."""
    pieces, length, end = [data], len(data), record.end_in(data)
    while end < 0 and (piece := stream.read(CHUNK)):
        end = record.end_in(piece)
        taken = piece if end < 0 else piece[:end]
        length += len(taken)
        if length <= max_bytes + CHUNK:  # what ends the record does not count; the codec is exact
            pieces.append(taken)
        else:
            pieces.clear()
    rest = piece[end:] if end >= 0 else b""
    return b"".join(pieces) if length <= max_bytes + CHUNK else b"", rest, length, record.lines


def too_long(chunk: Chunk, max_bytes: int) -> Outcome:
    """The outcome of a chunk that is a record beyond the limit."""
    fault = Fault("limit", max_bytes, "$", f"the record is {chunk.length} bytes long; the limit is {max_bytes}")
    return Outcome(b"", chunk.length, chunk.lines, 1, [BadRecord(0, 0, chunk.length, fault, None)], Counter())
