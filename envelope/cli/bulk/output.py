"""Where a run writes: a stream, or a file that appears only when complete; and files that grow and can be cut back."""

from __future__ import annotations

import os
import stat
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import click

from envelope.cli.common.files import open_own, write_output
from envelope.cli.common.report import printable

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["GrowingFile", "Sink", "StandardOutput", "is_same_file", "partial_of", "replaces_file"]


class Sink(Protocol):
    """Takes the output piece by piece."""

    def write(self, data: bytes | memoryview) -> None:
        """Append *data*."""

    def sync(self) -> None:
        """Ensure that all of it is safely stored."""

    def close(self) -> None:
        """End the output."""


class StandardOutput:
    """Standard output, piece by piece."""

    def write(self, data: bytes | memoryview) -> None:
        """Write all of *data*."""
        write_output("-", bytes(data))

    def sync(self) -> None:
        """Do nothing: each piece was flushed when written."""

    def close(self) -> None:
        """Do nothing: standard output stays open."""


class GrowingFile:
    """A file that is appended to from *length* on; what was written there after the last checkpoint is cut off.

    Only one run may have it: `click.ClickException` if another does. If its name is the *run's* own choice, it must not
    be anybody else's file (`open_own`), and it gets the permissions *mode*.
    """

    def __init__(self, path: Path, length: int, *, is_own: bool = False, mode: int | None = None) -> None:
        opener = partial(open_own, mode=mode) if is_own else _open_whole
        self._file = open(path, "r+b" if length else "wb", opener=opener)  # noqa: SIM115  # `close` closes it
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
        """Ensure that all of it is on disk."""
        self._file.flush()
        if stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _is_ours(self, path: Path) -> bool:
        """Whether no other run has the file, or has just finished it and moved it into place."""
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
    """Like `open`, but without truncating what another run has written."""
    return os.open(name, flags & ~os.O_TRUNC, 0o666)


def replaces_file(name: str) -> bool:
    """Whether *name* is replaced by a finished file: always, except standard output, devices and pipes."""
    return name != "-" and (not os.path.exists(name) or os.path.isfile(name))


def is_same_file(name: str, other: str) -> bool:
    """Whether *name* and *other* are, or would be, the same file."""
    if os.path.exists(name) and os.path.exists(other):
        return os.path.samefile(name, other)
    return os.path.realpath(name) == os.path.realpath(other)


def partial_of(name: str, suffix: str) -> Path:
    """A run's working file beside the output *name* (beside its target, if that is a link)."""
    path = Path(os.path.realpath(name))
    return path.with_name(f"{path.name}.{suffix}")
