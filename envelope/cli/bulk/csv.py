"""`--csv`: one column of a table holds the documents; the other columns stay as they are."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from envelope.cli.bulk.chunks import BadRecord, Outcome, too_long
from envelope.cli.bulk.compression import compress
from envelope.conversion.documents import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envelope.cli.bulk.chunks import Chunk
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
    """Converts column number ``column`` of a chunk of rows; blank lines are not rows."""

    conversion: Conversion
    column: int
    width: int
    separator: str
    line_end: str
    compression: str

    def __call__(self, chunk: Chunk) -> Outcome:
        """The rows with the converted cells, in the order of the input."""
        data = chunk.data
        if not data:
            return too_long(chunk, self.conversion.reading.limits.max_bytes)
        text = data.decode(_BYTES)
        rows, ends = [], []
        for row, end in self._rows(text):
            rows.append(row)
            ends.append(end)
        documents = [row[self.column].encode(_BYTES) if type(row) is list else None for row in rows]
        bodies, faults, losses = self.conversion.convert(documents)
        output = io.StringIO(newline="")
        write = csv.writer(output, delimiter=self.separator, lineterminator=self.line_end).writerow
        for place, (row, body) in enumerate(zip(rows, bodies, strict=True)):
            if isinstance(row, Fault):
                faults[place] = row
            elif body is not None:
                row[self.column] = body.decode(_BYTES)
                write(row)
        bad = self._bad(data, ends, faults) if any(faults) else []
        written = output.getvalue().encode(_BYTES)
        packed = compress(written, self.compression) if written else b""
        # Lines are counted as in an editor; a row may span several.
        return Outcome(packed, chunk.length, data.count(b"\n"), len(rows), bad, losses)

    def _rows(self, text: str) -> Iterator[tuple[list[str] | Fault, int]]:
        """Each row, or what is wrong with it, and the number of lines up to its end."""
        csv.field_size_limit(_FIELD_SIZE)
        # Lines end at line feeds only, and are not translated.
        reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=self.separator, strict=True)
        while True:
            try:
                row = next(reader, None)
            except csv.Error as exc:
                yield Fault("malformed", None, "$", f"not a row of CSV: {exc}"), reader.line_num
                continue
            if row is None:
                return
            if len(row) == self.width:
                yield row, reader.line_num
            elif row:
                fault = Fault("malformed", None, "$", f"the row has {len(row)} columns, the header {self.width}")
                yield fault, reader.line_num

    def _bad(self, data: bytes, ends: list[int], faults: list[Fault | None]) -> list[BadRecord]:
        lines = io.BytesIO(data).readlines()
        offsets = list(accumulate(map(len, lines), initial=0))
        bad = []
        start = 0
        for end, fault in zip(ends, faults, strict=True):
            while start < end and not lines[start].strip(b"\r\n"):
                start += 1  # a blank line before the row
            if fault is not None:
                raw = data[offsets[start] : offsets[end]].rstrip(b"\r\n")
                bad.append(BadRecord(start, offsets[start], len(raw), fault, raw))
            start = end
        return bad
