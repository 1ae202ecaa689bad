"""gzip and zstd by file suffix: read as one stream, written as one member or frame per chunk."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envelope.cli.bulk.chunks import Stream

__all__ = ["BadInput", "compress", "compression_of", "decompressed"]

_SUFFIXES: Final = {".gz": "gzip", ".zst": "zstd"}

# So little zstd is decompressed at once that even a bomb (128 KiB for each 4 bytes) fits in memory.
_ZSTD_PIECE: Final = 1024


class BadInput(Exception):
    """The input is not what its suffix says, or ends too early."""


def compression_of(name: str) -> str:
    """`gzip`, `zstd` or an empty string, by the suffix of *name*."""
    kind = next((kind for suffix, kind in _SUFFIXES.items() if name.lower().endswith(suffix)), "")
    if kind == "zstd":
        _zstandard()
    return kind


def compress(data: bytes, kind: str) -> bytes:
    """*data* as a whole gzip member or zstd frame, always the same bytes."""
    if kind == "gzip":
        return gzip.compress(data, 6, mtime=0)
    if kind == "zstd":
        frame: bytes = _zstandard().ZstdCompressor(write_checksum=True).compress(data)
        return frame
    return data


def decompressed(file: BinaryIO, kind: str) -> Stream:
    """The content of all members or frames of *file*; reading raises `BadInput` if it is damaged."""
    if kind == "gzip":
        return _Gzip(file)
    return _Zstd(file) if kind == "zstd" else file


class _Gzip:
    def __init__(self, file: BinaryIO) -> None:
        self.file = gzip.GzipFile(fileobj=file)

    def read(self, size: int) -> bytes:
        try:
            return self.file.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile) as exc:
            raise BadInput(f"its gzip data is damaged or cut off: {exc}") from None


class _Zstd:
    def __init__(self, file: BinaryIO) -> None:
        self.pieces = _zstd_pieces(file)
        self.rest = b""

    def read(self, size: int) -> bytes:
        while not self.rest:
            piece = next(self.pieces, None)
            if piece is None:
                return b""
            self.rest = piece
        taken, self.rest = self.rest[:size], self.rest[size:]
        return taken


def _zstd_pieces(file: BinaryIO) -> Iterator[bytes]:
    # The package's own stream readers end silently if a frame is cut off.
    zstandard = _zstandard()
    data = file.read(_ZSTD_PIECE)
    while data:
        decoder = zstandard.ZstdDecompressor().decompressobj()
        while not decoder.eof:
            if not data:
                raise BadInput("its zstd data is cut off")
            try:
                yield decoder.decompress(data)
            except zstandard.ZstdError as exc:
                raise BadInput(f"its zstd data is damaged: {exc}") from None
            data = decoder.unused_data or (b"" if decoder.eof else file.read(_ZSTD_PIECE))
        data = data or file.read(_ZSTD_PIECE)


def _zstandard() -> Any:
    try:
        import zstandard
    except ModuleNotFoundError:
        raise click.UsageError("zstd needs zstandard: pip install 'envelope-engine[cli]'") from None
    return zstandard
