"""What a run does, by the kind of its archive: where chunks come from, and what becomes of them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import click

from envelope.cli.bulk.chunks import CHUNK, Chunk, Position, cut
from envelope.cli.bulk.compression import compress, compression_of, decompressed
from envelope.cli.bulk.csv import CsvFraming, CsvTask, read_header
from envelope.cli.bulk.lines import LineFraming, LinesTask
from envelope.cli.report import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from envelope.cli.bulk.chunks import Outcome
    from envelope.records import Conversion

__all__ = ["Input", "Plan", "csv_plan", "lines_plan"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``chunks`` from a position on, each for the ``task``; ``done`` says how much of the input was read, in bytes.

    The output begins with ``head``, and is ``nothing`` where nothing was written. ``finish`` makes another file of what
    was written, where that is not the output itself, and answers its path.
    """

    start: Position
    chunks: Callable[[Position], Iterator[Chunk]]
    task: Callable[[Chunk], Outcome]
    done: Callable[[Position], int]
    head: bytes = b""
    nothing: bytes = b""
    finish: Callable[[Path], Path] | None = None


class Input:
    """The input's bytes, decompressed by its suffix; standard input where *name* is `-`."""

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
        """At most *size* bytes, none at the end. Raises `BadInput` where there is no telling what comes next."""
        try:
            return self._stream.read(size)
        except OSError as exc:
            raise click.ClickException(f"cannot read {self.title}: {exc.strerror}") from None

    @property
    def title(self) -> str:
        """Its name, for messages."""
        return "standard input" if self.name == "-" else printable(self.name)

    def restart(self, offset: int) -> None:
        """Go to the byte *offset* of what is read; a file only."""
        self._file.seek(0)
        kind = compression_of(self.name)
        self._stream = decompressed(self._file, kind)
        if not kind:
            self._file.seek(offset)
            return
        while offset and (passed := self.read(min(offset, CHUNK))):
            offset -= len(passed)

    def done(self, position: Position) -> int:
        """How much was read of the file, compressed as it is."""
        return self._file.tell() if compression_of(self.name) else position.offset

    @property
    def size(self) -> int | None:
        """Of the file, in bytes; None where it is a stream."""
        return os.fstat(self._file.fileno()).st_size or None if self.name != "-" else None


def lines_plan(source: Input, conversion: Conversion, delimiter: bytes, compression: str) -> Plan:
    """The plan of `--lines`."""

    def chunks(start: Position) -> Iterator[Chunk]:
        if start.offset:
            source.restart(start.offset)
        return cut(source, LineFraming(delimiter), start, conversion.limits.max_bytes)

    task = LinesTask(conversion, delimiter, compression)
    return Plan(start=Position(0, 1), chunks=chunks, task=task, done=source.done, nothing=compress(b"", compression))


def csv_plan(source: Input, conversion: Conversion, column: str, separator: str, compression: str) -> Plan:
    """The plan of `--csv`. The first row has the columns' names, and stays as it is."""
    max_bytes = conversion.limits.max_bytes
    fresh = cut(source, CsvFraming(), Position(0, 1), max_bytes)
    first = next(fresh, Chunk(b"", Position(0, 1), Position(0, 1), 0))
    names, size = read_header(first.data, separator)
    if names.count(column.encode()) != 1:
        known = ", ".join(printable(name.decode("utf-8", "replace")) for name in names)
        raise click.UsageError(f"--csv {printable(column)}: the columns are {known or 'none: there is no first row'}")
    head = first.data[:size]
    start = Position(size, 1 + head.count(b"\n"))

    def chunks(position: Position) -> Iterator[Chunk]:
        if position == start:
            if len(first.data) > size:
                yield Chunk(first.data[size:], start, first.end, len(first.data) - size)
            yield from fresh
        else:
            source.restart(position.offset)
            yield from cut(source, CsvFraming(), position, max_bytes)

    line_end = "\r\n" if head.endswith(b"\r\n") else "\n"
    task = CsvTask(conversion, names.index(column.encode()), len(names), separator, line_end, compression)
    written = head if head.endswith(b"\n") else head + b"\n"
    return Plan(start=start, chunks=chunks, task=task, done=source.done, head=compress(written, compression))
