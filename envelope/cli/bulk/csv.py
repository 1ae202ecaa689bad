"""`--csv`: one column of a table holds the documents; the other columns stay as they are."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from envelope.cli.bulk.chunks import BATCH, BadRecord, Outcome, RepairedRecord, too_long
from envelope.cli.bulk.compression import compress
from envelope.conversion.attempts import Report
from envelope.conversion.documents import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envelope.cli.bulk.chunks import Chunk, Record, SetAside
    from envelope.conversion.documents import Conversion

__all__ = ["CsvFraming", "CsvTask", "read_header"]

# The limit on documents bounds a field, not the csv module's default.
_FIELD_SIZE: Final = 2**31 - 1

# Every byte is one character, whatever the table's encoding: cells come out as they went in.
_BYTES: Final = "latin-1"


class CsvFraming:
    """Rows end at line feeds outside quotes; a quote inside quotes is doubled (RFC 4180)."""

    def last_end(self, data: bytes) -> int:
        """The end of the last line feed with an even number of quotes before it, or 0."""
        end = data.rfind(b"\n") + 1
        quotes = data.count(b'"', 0, end)
        while end and quotes % 2:
            quote = data.rfind(b'"', 0, end)
            shorter = data.rfind(b"\n", 0, quote) + 1
            quotes -= data.count(b'"', shorter, end)
            end = shorter
        return end

    def long_record(self) -> _LongRow:
        """A search for the end of a row."""
        return _LongRow()


class _LongRow:
    def __init__(self) -> None:
        self.is_quoted = False
        self.lines = 0

    def end_in(self, piece: bytes) -> int:
        start = 0
        for part in piece.split(b'"'):
            end = -1 if self.is_quoted else part.find(b"\n")
            if end >= 0:
                self.lines += 1
                return start + end + 1
            self.lines += part.count(b"\n")
            start += len(part) + 1
            self.is_quoted = not self.is_quoted
        self.is_quoted = not self.is_quoted  # there is one quote fewer than parts
        return -1


def read_header(data: bytes, separator: str) -> tuple[list[bytes], int]:
    """The names of the columns, and where the header row ends."""
    text = io.StringIO(data.decode(_BYTES), newline="\n")
    csv.field_size_limit(_FIELD_SIZE)
    names = next(csv.reader(text, delimiter=separator), [])
    cells = [name.encode(_BYTES) for name in names]
    if cells:
        cells[0] = cells[0].removeprefix(b"\xef\xbb\xbf")
    return cells, text.tell()


@dataclass(frozen=True, slots=True)
class CsvTask:
    """Converts column number ``column`` of a chunk of rows; blank lines are not rows.

    If rows are kept, one that has no such column, or is no row of CSV, stays as it was.
    """

    conversion: Conversion
    column: int
    width: int
    separator: str
    line_end: str
    compression: str

    def __call__(self, chunk: Chunk, set_aside: SetAside, /) -> Outcome:
        """The rows with the converted cells, in the order of the input."""
        data = chunk.data
        if not data:
            empty = (self.separator * (self.width - 1) or '""') + self.line_end if self.conversion.keep_rows else ""
            packed = compress(empty.encode(_BYTES), self.compression) if empty else b""
            return too_long(chunk, self.conversion.reading.limits.max_bytes, set_aside, packed)
        output = io.StringIO(newline="")
        write = csv.writer(output, delimiter=self.separator, lineterminator=self.line_end).writerow
        rows, lines, keep_rows = self._rows(data.decode(_BYTES)), _Lines(data), self.conversion.keep_rows
        losses: Counter[str] = Counter()
        counts: Counter[str] = Counter()
        layers: Counter[str] = Counter()
        records = 0
        while batch := list(islice(rows, BATCH)):
            documents = [row[self.column].encode(_BYTES) if type(row) is list else None for row, _, _ in batch]
            report = Report()
            bodies, faults, lost = self.conversion.convert(documents, report)
            losses.update(lost)
            counts.update(report.counts)
            layers.update(report.layers)
            told: list[Record] = []
            for place, ((row, start, end), body, fault) in enumerate(zip(batch, bodies, faults, strict=True)):
                problem = row if isinstance(row, Fault) else fault
                if problem is not None or place in report.repairs:
                    line, offset, raw = lines.find(start, end)
                    if problem is not None:
                        told.append(BadRecord(line, offset, len(raw), problem, raw))
                    else:
                        told.append(RepairedRecord(line, offset, len(raw), report.repairs[place]))
                    if keep_rows and isinstance(row, Fault):
                        output.write(raw.decode(_BYTES) + self.line_end)
                if isinstance(row, list) and (problem is None or keep_rows):
                    row[self.column] = (body or b"").decode(_BYTES)
                    write(row)
            records += len(batch)
            if told:
                set_aside(told)
        written = output.getvalue().encode(_BYTES)
        packed = compress(written, self.compression) if written else b""
        # Lines are counted as in an editor; a row may span several.
        return Outcome(packed, chunk.length, data.count(b"\n"), records, losses, counts, layers)

    def _rows(self, text: str) -> Iterator[tuple[list[str] | Fault, int, int]]:
        """Each row, or what is wrong with it, and the numbers of lines before it and up to its end.

        Blank lines count as part of the row after them.
        """
        csv.field_size_limit(_FIELD_SIZE)
        # Lines end at line feeds only, and are not translated.
        reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=self.separator, strict=True)
        start = 0
        while True:
            row: list[str] | Fault | None
            try:
                row = next(reader, None)
            except csv.Error as exc:
                row = Fault("malformed", None, "$", f"not a row of CSV: {exc}")
            else:
                if row and len(row) != self.width:
                    reason = f"the row has {len(row)} columns, the header {self.width}"
                    row = Fault("malformed", None, "$", reason)
            if row is None:
                return
            if row:
                yield row, start, reader.line_num
                start = reader.line_num


class _Lines:
    """The lines of *data*, from first to last: rows are found in them in that order."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.line = 0
        self.offset = 0

    def find(self, start: int, end: int) -> tuple[int, int, bytes]:
        """The line, the offset and the bytes of the row between these lines, without blank ones before it."""
        self._go_to(start)
        while self.line < end and not self.data[self.offset : self._line_end()].strip(b"\r\n"):
            self._go_to(self.line + 1)
        line, offset = self.line, self.offset
        self._go_to(end)
        raw = self.data[offset : self.offset].rstrip(b"\r\n")
        return line, offset, raw

    def _go_to(self, line: int) -> None:
        while self.line < line:
            self.line, self.offset = self.line + 1, self._line_end()

    def _line_end(self) -> int:
        return self.data.find(b"\n", self.offset) + 1 or len(self.data)
