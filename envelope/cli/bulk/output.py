"""Where a run writes: a file that is complete or not there, or a stream; and files that grow and can go back."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import click

from envelope.cli.common.files import write_output
from envelope.cli.common.report import printable

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["GrowingFile", "Sink", "StandardOutput", "is_same_file", "partial_of", "replaces_file"]


class Sink(Protocol):
    """What takes the output piece by piece."""

    def write(self, data: bytes | memoryview) -> None:
        """Append *data*."""

    def sync(self) -> None:
        """See to it that all of it is where it stays."""

    def close(self) -> None:
        """No more will come."""


class StandardOutput:
    """Standard output, piece by piece."""

    def write(self, data: bytes | memoryview) -> None:
        """Write *data*, all of it."""
        write_output("-", bytes(data))

    def sync(self) -> None:
        """Nothing is left to do: each piece has gone out."""

    def close(self) -> None:
        """It stays open for others."""


class GrowingFile:
    """A file from *length* on; what stands behind it, written after the last checkpoint, is cut off.

    It is one run's alone: `click.ClickException` where another has it.
    """

    def __init__(self, path: Path, length: int) -> None:
        self._file = open(path, "r+b" if length else "wb", opener=_open_whole)  # noqa: SIM115  # `close` closes it
        if stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            if not self._is_ours(path):
                self._file.close()
                raise click.ClickException(f"cannot write {printable(str(path))}: another run writes to it")
            self._file.truncate(length)
            self._file.seek(length)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def write(self, data: bytes | memoryview) -> None:
        """Append *data*."""
        self._file.write(data)

    def sync(self) -> None:
        """See to it that all of it is on the disk."""
        self._file.flush()
        if stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _is_ours(self, path: Path) -> bool:
        """Whether no other run has the file, or has just finished it and put it in its place."""
        if sys.platform == "win32":
            return True
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # the file system has no locks
            return True
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), os.stat(path))
        except FileNotFoundError:
            return False


def _open_whole(name: str, flags: int) -> int:
    """As `open` does, but what another run has written is not cut off."""
    return os.open(name, flags & ~os.O_TRUNC, 0o666)


def replaces_file(name: str) -> bool:
    """Whether *name* is to be replaced by a finished file: so it is but for standard output, devices and pipes."""
    return name != "-" and (not os.path.exists(name) or os.path.isfile(name))


def is_same_file(name: str, other: str) -> bool:
    """Whether what is written to *name* is, or would be, what is read from *other*."""
    if os.path.exists(name) and os.path.exists(other):
        return os.path.samefile(name, other)
    return os.path.realpath(name) == os.path.realpath(other)


def partial_of(name: str, suffix: str) -> Path:
    """The file beside the output *name* (behind the link, where it is one) that a run keeps for itself."""
    path = Path(os.path.realpath(name))
    return path.with_name(f"{path.name}.{suffix}")
