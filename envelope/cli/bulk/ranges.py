"""A file whose chunks are read by the workers: cutting it reads only what is around the cuts."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from envelope.cli.bulk import chunks
from envelope.cli.bulk.chunks import Chunk, cut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envelope.cli.bulk.chunks import Framing

__all__ = ["InputFile", "cut_file"]

_REACH: Final = 16 * 1024  # bytes before a cut that are searched first: most records are shorter


@dataclass(frozen=True, slots=True)
class InputFile:
    """A regular file that is open in this process and those it forks: its descriptor, its name for messages."""

    descriptor: int
    title: str

    @property
    def size(self) -> int:
        """The current size in bytes."""
        return os.fstat(self.descriptor).st_size

    def read(self, offset: int, size: int) -> bytes:
        """At most *size* bytes from *offset*, none at the end."""
        try:
            return os.pread(self.descriptor, size, offset)
        except OSError as exc:
            raise click.ClickException(f"cannot read {self.title}: {exc.strerror}") from None

    def read_all(self, chunk: Chunk) -> bytes:
        """The data of *chunk*."""
        data = self.read(chunk.offset, chunk.length)
        if len(data) < chunk.length:
            raise click.ClickException(f"cannot read {self.title}: it became shorter")
        return data


def cut_file(file: InputFile, framing: Framing, offset: int, max_bytes: int) -> Iterator[Chunk]:
    """The chunks that `chunks.cut` would make of *file* from *offset*, with their data left in it.

    *framing* must find the last end in any piece, whether or not it begins with a record.
    """
    while (length := file.size - offset) > 0:
        if length >= chunks.CHUNK:
            length = _last_end(file, framing, offset)
        # A record longer than a chunk is read to find its end.
        chunk = Chunk(None, offset, length) if length else next(cut(_At(file, offset), framing, offset, max_bytes))
        yield chunk
        offset += chunk.length


def _last_end(file: InputFile, framing: Framing, offset: int) -> int:
    """Where the last whole record in the chunk at *offset* ends, relative to it; 0 if there is none."""
    reach = min(_REACH, chunks.CHUNK)
    while True:
        before = chunks.CHUNK - reach
        end = framing.last_end(file.read(offset + before, reach))
        if end or not before:
            return before + end if end else 0
        reach = min(4 * reach, chunks.CHUNK)


class _At:
    """*file* as a stream from *offset*."""

    def __init__(self, file: InputFile, offset: int) -> None:
        self.file = file
        self.offset = offset

    def read(self, size: int) -> bytes:
        piece = self.file.read(self.offset, size)
        self.offset += len(piece)
        return piece
