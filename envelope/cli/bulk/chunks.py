"""What goes to a worker and what comes back, and how a byte stream is cut into chunks of whole records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias

from envelope.conversion.documents import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envelope.repairs.report import Repair

__all__ = [
    "BATCH",
    "CHUNK",
    "BadRecord",
    "Chunk",
    "Framing",
    "LongRecord",
    "Outcome",
    "Position",
    "Record",
    "RepairedRecord",
    "SetAside",
    "Stream",
    "Task",
    "cut",
    "too_long",
]

CHUNK: Final = 1024 * 1024
"""Maximum bytes of a chunk, except that a longer record is its own chunk. Compressed output depends on this size."""

BATCH: Final = 1024
"""How many records of a chunk are converted together: a chunk may hold half a million, each far larger as objects."""


class Position(NamedTuple):
    """A place between records: ``offset`` in bytes, from 0; ``line`` is the number of the next line, from 1."""

    offset: int
    line: int


class Chunk(NamedTuple):
    """Whole records: ``length`` bytes of the input, from ``offset``.

    ``data`` is None if it is still in the file, and empty if the chunk is one record beyond the limit, which was
    skipped and had this many ``lines``. The lines of all other chunks are counted during conversion.
    """

    data: bytes | None
    offset: int
    length: int
    lines: int = 0


class BadRecord(NamedTuple):
    """A record that was set aside: where it begins (from 0 in its chunk), its length, the fault, its bytes."""

    line: int
    offset: int | None
    length: int
    fault: Fault
    raw: bytes | None


class RepairedRecord(NamedTuple):
    """A record that was repaired: where it begins, as of a bad one, its length, and what was done."""

    line: int
    offset: int | None
    length: int
    repair: Repair


Record: TypeAlias = BadRecord | RepairedRecord

SetAside: TypeAlias = Callable[[Sequence[Record]], None]
"""Takes the records of a chunk that were set aside or repaired, some at a time: all of them may be."""


class Outcome(NamedTuple):
    """The result for a chunk: the bytes to write, what they were made from, losses by kind.

    ``counts`` and ``layers`` are those of a `Report`.
    """

    output: bytes | memoryview
    length: int
    lines: int
    records: int
    losses: Counter[str]
    counts: Mapping[str, int] = {}
    layers: Mapping[str, int] = {}


class Task(Protocol):
    """What is done with a chunk."""

    def __call__(self, chunk: Chunk, set_aside: SetAside, /) -> Outcome:
        """Convert *chunk*; bad and repaired records go to *set_aside* in their order, before this returns."""


class Stream(Protocol):
    """A source of bytes."""

    def read(self, size: int, /) -> bytes:
        """At most *size* bytes; none at the end, but fewer do not mean the end."""


class LongRecord(Protocol):
    """Looks for the end of one record, piece by piece."""

    lines: int

    def end_in(self, piece: bytes) -> int:
        """Where the record ends in the next piece; -1 if it continues."""


class Framing(Protocol):
    """How records are separated."""

    def last_end(self, data: bytes) -> int:
        """Where the last whole record ends in *data*, which begins with a record; 0 if there is none."""

    def long_record(self) -> LongRecord:
        """A search for the end of a record that is longer than a chunk."""


def cut(stream: Stream, framing: Framing, offset: int, max_bytes: int) -> Iterator[Chunk]:
    """The chunks from *offset*, which is where *stream* is.

    Holds at most a chunk and a record of *max_bytes*: a longer record is skipped, and its chunk is empty.
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
    """*size* bytes, fewer only at the end: one read from a pipe may return less."""
    pieces = []
    while size and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _read_long(stream: Stream, record: LongRecord, data: bytes, max_bytes: int) -> tuple[bytes, bytes, int, int]:
    """The record that *data* begins, the bytes read after it, its length, its lines."""
    pieces, length, end = [data], len(data), record.end_in(data)
    while end < 0 and (piece := stream.read(CHUNK)):
        end = record.end_in(piece)
        taken = piece if end < 0 else piece[:end]
        length += len(taken)
        if length <= max_bytes + CHUNK:  # some slack for the delimiter; the codec checks exactly
            pieces.append(taken)
        else:
            pieces.clear()
    rest = piece[end:] if end >= 0 else b""
    return b"".join(pieces) if length <= max_bytes + CHUNK else b"", rest, length, record.lines


def too_long(chunk: Chunk, max_bytes: int, set_aside: SetAside, row: bytes) -> Outcome:
    """The outcome of a chunk that is one record beyond the limit, which is set aside; *row* is written in its place."""
    fault = Fault("limit", max_bytes, "$", f"the record is {chunk.length} bytes long; the limit is {max_bytes}")
    set_aside([BadRecord(0, 0, chunk.length, fault, None)])
    return Outcome(row, chunk.length, chunk.lines, 1, Counter())
