"""What a run does for each kind of archive: where chunks come from, and how they are converted."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import click

from envelope.cli.bulk.chunks import CHUNK, Chunk, Position, cut
from envelope.cli.bulk.compression import compress, compression_of, decompressed
from envelope.cli.bulk.csv import CsvFraming, CsvTask, read_header
from envelope.cli.bulk.lines import LineFraming, LinesTask
from envelope.cli.bulk.ranges import InputFile, cut_file
from envelope.cli.common.report import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from envelope.cli.bulk.chunks import Task
    from envelope.conversion.documents import Conversion

__all__ = ["Input", "Plan", "csv_plan", "lines_plan"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``chunks`` from a position on, each for the ``task``; ``done`` returns how many bytes of the input were read.

    The output begins with ``head``, and is ``nothing`` if nothing was written. If what was written is not the output
    itself, ``finish`` makes the output from it.
    """

    start: Position
    chunks: Callable[[Position], Iterator[Chunk]]
    task: Task
    done: Callable[[Position], int]
    head: bytes = b""
    nothing: bytes = b""
    finish: Callable[[Path, BinaryIO], None] | None = None


class Input:
    """The input's bytes, decompressed by its suffix; standard input if *name* is `-`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._file = self._open()
        self._stream = decompressed(self._file, compression_of(name))

    def _open(self) -> BinaryIO:
        if self.name != "-":
            return open(self.name, "rb")  # `close` closes it
        if sys.stdin is None:
            raise click.UsageError("cannot read standard input: it is closed")
        return sys.stdin.buffer

    def close(self) -> None:
        """Close the file; standard input stays open."""
        if self.name != "-":
            self._file.close()

    def read(self, size: int) -> bytes:
        """At most *size* bytes, none at the end. Raises `BadInput` if compressed data is damaged."""
        try:
            return self._stream.read(size)
        except OSError as exc:
            raise click.ClickException(f"cannot read {self.title}: {exc.strerror}") from None

    @property
    def title(self) -> str:
        """The input's name, for messages."""
        return "standard input" if self.name == "-" else printable(self.name)

    def restart(self, offset: int) -> None:
        """Go to byte *offset* of the decompressed input, which must be a file."""
        self._file.seek(0)
        kind = compression_of(self.name)
        self._stream = decompressed(self._file, kind)
        if not kind:
            self._file.seek(offset)
            return
        while offset and (passed := self.read(min(offset, CHUNK))):
            offset -= len(passed)

    def done(self, position: Position) -> int:
        """How many bytes of the file were read; of a compressed one, compressed bytes."""
        return self._file.tell() if compression_of(self.name) else position.offset

    @property
    def file(self) -> InputFile | None:
        """The file, if it can be read as it is; None for a stream or a compressed file."""
        is_plain = self.name != "-" and not compression_of(self.name)
        if is_plain and stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            return InputFile(self._file.fileno(), self.title)
        return None

    @property
    def size(self) -> int | None:
        """The file's size in bytes; None for a stream."""
        return os.fstat(self._file.fileno()).st_size or None if self.name != "-" else None


def lines_plan(
    source: Input, conversion: Conversion, delimiter: bytes, compression: str, file: InputFile | None
) -> Plan:
    """The plan of `--lines`; *file* is the input if workers can read chunks from it themselves."""
    framing = LineFraming(delimiter)
    max_bytes = conversion.reading.limits.max_bytes

    def chunks(start: Position) -> Iterator[Chunk]:
        if file and len(delimiter) == 1:
            return cut_file(file, framing, start.offset, max_bytes)
        if start.offset:
            source.restart(start.offset)
        return cut(source, framing, start.offset, max_bytes)

    task = LinesTask(conversion, delimiter, compression, file)
    return Plan(start=Position(0, 1), chunks=chunks, task=task, done=source.done, nothing=compress(b"", compression))


def csv_plan(source: Input, conversion: Conversion, column: str, separator: str, compression: str) -> Plan:
    """The plan of `--csv`. The first row has the column names, and stays as it is."""
    max_bytes = conversion.reading.limits.max_bytes
    fresh = cut(source, CsvFraming(), 0, max_bytes)
    first = next(fresh, Chunk(b"", 0, 0))
    table = first.data or b""
    names, size = read_header(table, separator)
    wanted = os.fsencode(column)  # as it came from the command line, in whatever encoding
    if names.count(wanted) != 1:
        known = ", ".join(printable(name.decode("utf-8", "replace")) for name in names)
        raise click.UsageError(f"--csv {printable(column)}: the columns are {known or 'none: there is no first row'}")
    head = table[:size]
    start = Position(size, 1 + head.count(b"\n"))

    def chunks(position: Position) -> Iterator[Chunk]:
        if position == start:
            if len(table) > size:
                yield Chunk(table[size:], size, len(table) - size)
            yield from fresh
        else:
            source.restart(position.offset)
            yield from cut(source, CsvFraming(), position.offset, max_bytes)

    line_end = "\r\n" if head.endswith(b"\r\n") else "\n"
    task = CsvTask(conversion, names.index(wanted), len(names), separator, line_end, compression)
    written = head if head.endswith(b"\n") else head + b"\n"
    return Plan(start=start, chunks=chunks, task=task, done=source.done, head=compress(written, compression))
