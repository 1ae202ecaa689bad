"""`--lines`: one document after another, each ended by the delimiter."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from envelope.cli.bulk.chunks import BATCH, BadRecord, Outcome, RepairedRecord, too_long
from envelope.cli.bulk.compression import compress
from envelope.conversion.attempts import Report
from envelope.conversion.documents import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envelope.cli.bulk.chunks import Chunk, Record, SetAside
    from envelope.cli.bulk.ranges import InputFile
    from envelope.conversion.documents import Conversion

__all__ = ["LineFraming", "LinesTask"]


@dataclass(frozen=True, slots=True)
class LineFraming:
    """Records ended by ``delimiter``, which the last one may lack."""

    delimiter: bytes

    def last_end(self, data: bytes) -> int:
        """The end of the last delimiter, or 0."""
        if len(self.delimiter) == 1:
            return data.rfind(self.delimiter) + 1
        # A longer one may overlap itself, so search from the left.
        return len(data) - len(data.split(self.delimiter)[-1])

    def long_record(self) -> _LongLine:
        """A search for the delimiter, which may span two pieces."""
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
    """Converts a chunk's documents; a carriage return before a line feed is not included.

    Empty lines are skipped; if rows are kept, they stay, and in a mixed archive they are texts.
    """

    conversion: Conversion
    delimiter: bytes
    compression: str
    file: InputFile | None

    def __call__(self, chunk: Chunk, set_aside: SetAside, /) -> Outcome:
        """The converted documents, each ended by the delimiter, in the order of the input."""
        data = self.file.read_all(chunk) if self.file and chunk.data is None else chunk.data
        if not data:
            row = self._packed(self.delimiter) if self.conversion.keep_rows else b""
            return too_long(chunk, self.conversion.reading.limits.max_bytes, set_aside, row)
        if self.delimiter == b"\n" and (converted := self.conversion.convert_lines(data)):
            output, lines, documents = converted
            return Outcome(self._packed(output), chunk.length, lines, documents, Counter())
        written = io.BytesIO()
        losses: Counter[str] = Counter()
        counts: Counter[str] = Counter()
        layers: Counter[str] = Counter()
        lines = documents = offset = 0
        records = _split(data, self.delimiter)
        while batch := list(islice(records, BATCH)):
            report = Report()
            offset, count = self._batch(batch, lines, offset, written, losses, report, set_aside)
            counts.update(report.counts)
            layers.update(report.layers)
            lines += len(batch)
            documents += count
        return Outcome(self._packed(written.getvalue()), chunk.length, lines, documents, losses, counts, layers)

    def _batch(
        self,
        records: list[bytes],
        line: int,
        offset: int,
        written: io.BytesIO,
        losses: Counter[str],
        report: Report,
        set_aside: SetAside,
    ) -> tuple[int, int]:
        """Convert *records*, which begin at *line* and *offset* of the chunk.

        Returns the offset of their end, and how many documents there are among them.
        """
        delimiter, keep_rows = self.delimiter, self.conversion.keep_rows
        documents = records
        if delimiter == b"\n":
            documents = [record.removesuffix(b"\r") for record in records]
        is_mixed = self.conversion.mixed
        wanted = documents if is_mixed else [document or None for document in documents]
        bodies, faults, lost = self.conversion.convert(wanted, report)
        losses.update(lost)
        before = delimiter[:-1]  # a document's end and the start of the delimiter may form one too early
        for place, body in enumerate(bodies):
            if body is not None and delimiter in body + before:
                faults[place] = Fault("unrepresentable", None, "$", _HOLDS_DELIMITER)
                body = documents[place] if keep_rows == "as-is" else None
            if body is not None:
                written.write(body + delimiter)
            elif keep_rows:
                written.write(delimiter)
        told: list[Record] = []
        for place, (record, document, fault) in enumerate(zip(records, documents, faults, strict=True)):
            if fault is not None:
                told.append(BadRecord(line + place, offset, len(document), fault, document))
            elif place in report.repairs:
                told.append(RepairedRecord(line + place, offset, len(document), report.repairs[place]))
            offset += len(record) + len(delimiter)
        if told:
            set_aside(told)
        return offset, len(documents) - (0 if is_mixed else documents.count(b""))

    def _packed(self, output: bytes) -> bytes:
        return compress(output, self.compression) if output else b""


def _split(data: bytes, delimiter: bytes) -> Iterator[bytes]:
    """The records of *data*, one by one; `find` takes half the time of `bytes.split`, which looks at each byte."""
    start = 0
    while (end := data.find(delimiter, start)) >= 0:
        yield data[start:end]
        start = end + len(delimiter)
    if start < len(data):
        yield data[start:]


_HOLDS_DELIMITER = "the converted document contains the delimiter"
