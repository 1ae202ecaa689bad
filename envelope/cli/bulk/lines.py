"""`--lines`: one document after another, each ended by the delimiter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from envelope.cli.bulk.chunks import BadRecord, Outcome, too_long
from envelope.cli.bulk.compression import compress
from envelope.records import Fault

if TYPE_CHECKING:
    from envelope.cli.bulk.chunks import Chunk
    from envelope.records import Conversion

__all__ = ["LineFraming", "LinesTask"]


@dataclass(frozen=True, slots=True)
class LineFraming:
    """Records ended by ``delimiter``; the last may do without."""

    delimiter: bytes

    def last_end(self, data: bytes) -> int:
        """The end of the last delimiter, or 0."""
        if len(self.delimiter) == 1:
            return data.rfind(self.delimiter) + 1
        # A longer one may overlap itself, and is found from the left.
        return len(data) - len(data.split(self.delimiter)[-1])

    def count_lines(self, data: bytes) -> int:
        """How many delimiters there are: with another than the line feed, lines are records."""
        return data.count(self.delimiter)

    def long_record(self) -> _LongLine:
        """Looks for the delimiter, which may lie across two pieces."""
        return _LongLine(self.delimiter)


class _LongLine:
    lines = 1

    def __init__(self, delimiter: bytes) -> None:
        self.delimiter = delimiter
        self.before = b""

    def end_in(self, piece: bytes) -> int:
        seen = self.before + piece
        at = seen.find(self.delimiter)
        if at >= 0:
            return at + len(self.delimiter) - len(self.before)
        self.before = seen[len(seen) - len(self.delimiter) + 1 :]
        return -1


@dataclass(frozen=True, slots=True)
class LinesTask:
    """Converts the documents of a chunk. An empty line holds none; a return before a line feed is no part of one."""

    conversion: Conversion
    delimiter: bytes
    compression: str

    def __call__(self, chunk: Chunk) -> Outcome:
        """The converted documents, each ended by the delimiter, in the order of the input."""
        delimiter, data = self.delimiter, chunk.data
        if len(data) < chunk.length:
            return too_long(chunk, self.conversion.limits.max_bytes)
        records = data.split(delimiter)
        if not records[-1]:
            records.pop()
        documents = records
        if delimiter == b"\n" and b"\r\n" in data:
            documents = [record.removesuffix(b"\r") for record in records]
        bodies, faults, losses = self.conversion.convert([document or None for document in documents])
        written = [body for body in bodies if body is not None]
        output = delimiter.join([*written, b""])
        if len(delimiter) > 1 or output.count(delimiter) > len(written):
            for place, body in enumerate(bodies):
                if body is not None and delimiter in body + delimiter[:-1]:
                    bodies[place], faults[place] = None, Fault("unrepresentable", None, "$", _HOLDS_DELIMITER)
            output = delimiter.join([*(body for body in bodies if body is not None), b""])
        bad = self._bad(chunk, records, documents, faults) if any(faults) else []
        packed = compress(output, self.compression) if output else b""
        return Outcome(packed, len(documents) - documents.count(b""), bad, losses)

    def _bad(
        self, chunk: Chunk, records: list[bytes], documents: list[bytes], faults: list[Fault | None]
    ) -> list[BadRecord]:
        bad = []
        offset = chunk.start.offset
        rows = zip(records, documents, faults, strict=True)
        for line, (record, document, fault) in enumerate(rows, chunk.start.line):
            if fault is not None:
                bad.append(BadRecord(line, offset, len(document), fault, document))
            offset += len(record) + len(self.delimiter)
        return bad


_HOLDS_DELIMITER = "the converted document holds the delimiter"
