"""Bytes in and out: bounded input, exact standard output, files that are replaced in one step or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from envelope.cli.common.report import printable
from envelope.errors import DecodeError
from envelope.hints import Hint

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_size", "mode_of", "open_at_once", "open_own", "read_input", "replacing", "write_output"]

_NOT_OWN: Final = "there is a file of that name, and it is not a regular one of this user's"


def read_input(name: str, max_bytes: int, *, may_wait: bool = False) -> bytes:
    """The file's bytes, or standard input's if *name* is `-`; at most one more than *max_bytes*.

    A file that cannot be read is a usage error; so is a named pipe, unless the command *may_wait* for a writer.
    """
    count = -1 if max_bytes == sys.maxsize else max_bytes + 1
    try:
        if name != "-":
            with open(name, "rb", opener=None if may_wait or _is_descriptor(name) else open_at_once) as file:
                if stat.S_ISFIFO(os.fstat(file.fileno()).st_mode) and not (may_wait or _is_descriptor(name)):
                    raise click.UsageError(f"cannot read {printable(name)}: it is a named pipe; - < FILE reads it")
                return file.read(count)
        if sys.stdin is None:
            raise OSError(errno.EBADF, "it is closed")
        return sys.stdin.buffer.read(count)
    except OSError as exc:
        raise click.UsageError(f"cannot read {_title(name, 'standard input')}: {exc.strerror}") from None


def open_at_once(name: str, flags: int) -> int:
    """Open a file to read, for `open`, without waiting: a named pipe is open, and empty, if nobody writes to it."""
    descriptor = os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
    if hasattr(os, "set_blocking"):
        os.set_blocking(descriptor, True)  # for devices
    return descriptor


def _is_descriptor(name: str) -> bool:
    """Whether *name* means a file that is open already: what a shell passes for `<(command)` has a writer."""
    path = os.path.abspath(name)
    return path == "/dev/stdin" or os.path.dirname(path) in ("/dev/fd", "/proc/self/fd")


def check_size(data: bytes, format: str, max_bytes: int, *, hint: Hint | None = None) -> None:
    """Raise `DecodeError` if *data*, from `read_input`, is longer than *max_bytes*."""
    # The library's own message names the size, which is unknown here: reading stopped one byte past the limit.
    if len(data) > max_bytes:
        raise DecodeError(
            f"the input is longer than {max_bytes} bytes",
            kind="limit",
            format=format,
            offset=max_bytes,
            hint=hint,
        )


def write_output(name: str, body: bytes) -> None:
    """Write *body* to the file, or to standard output if *name* is `-`. A broken pipe is left to the caller."""
    try:
        if name == "-":
            _write_stdout(body)
        else:
            _write_file(name, body)
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise click.ClickException(f"cannot write {_title(name, 'standard output')}: {exc.strerror}") from None


def _title(name: str, standard: str) -> str:
    return standard if name == "-" else printable(name) or "''"


def _write_stdout(body: bytes) -> None:
    if sys.stdout is None:
        raise OSError(errno.EBADF, "it is closed")
    stream = sys.stdout.buffer
    try:
        left = memoryview(body)
        while left:  # an unbuffered write (PYTHONUNBUFFERED) may be partial
            left = left[stream.write(left) :]
        if stream.isatty() and not body.endswith(b"\n"):  # so that the prompt starts on its own line
            stream.write(b"\n")
        stream.flush()
    except OSError:
        # What is left in the buffer must not fail again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise


def _write_file(name: str, body: bytes) -> None:
    if not name or name.endswith(os.sep):
        raise IsADirectoryError(errno.EISDIR, "not a file name")
    mode = None
    with contextlib.suppress(FileNotFoundError):
        mode = os.stat(name).st_mode
    if mode is not None and not stat.S_ISREG(mode):
        # A device or a named pipe must be written to, not replaced.
        with open(name, "wb") as file:
            file.write(body)
        return
    # If the name is a link, its target is replaced, not the link.
    with replacing(os.path.realpath(name)) as file:
        file.write(body)


@contextlib.contextmanager
def replacing(path: str, mode: int | None = None) -> Iterator[BinaryIO]:
    """A new file that takes the place of *path*, itself not followed, when the block ends; nothing stays if it fails.

    Its permissions are *mode*; else those of the file that it replaces, or what the umask allows.
    """
    if mode is None:
        mode = mode_of(path)
    temporary = os.path.join(os.path.dirname(path), f".envelope-{os.urandom(8).hex()}.tmp")
    try:
        with open(temporary, "xb", opener=partial(open_own, mode=mode)) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def mode_of(path: str) -> int | None:
    """The permissions that replace those of the file *path*, not followed; None if there is none.

    They are the same for a file of this user's. Of somebody else's, nobody but its new owner may write to it; and
    never does a file that runs as its owner come into being.
    """
    with contextlib.suppress(FileNotFoundError):
        about = os.lstat(path)
        is_own = not hasattr(os, "geteuid") or about.st_uid == os.geteuid()
        return stat.S_IMODE(about.st_mode) & (0o777 if is_own else 0o755)
    return None


def open_own(name: str, flags: int, *, mode: int | None = None) -> int:
    """Open a working file, for `open`: in a shared folder, somebody else may have put anything under its name.

    `OSError` unless it is a regular file of this user's, with no other name. It is not truncated. It gets the
    permissions *mode* before anything is written to it.
    """
    # A link is not followed, a named pipe not waited for.
    flags = flags & ~os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(name, flags, 0o666 if mode is None else mode & 0o600)
    except OSError as exc:
        if exc.errno in (errno.ELOOP, errno.ENXIO):  # a link, a named pipe
            raise PermissionError(errno.EPERM, _NOT_OWN, name) from None
        raise
    try:
        about = os.fstat(descriptor)
        is_own = not hasattr(os, "geteuid") or about.st_uid == os.geteuid()
        if not (stat.S_ISREG(about.st_mode) and is_own and about.st_nlink == 1):
            raise PermissionError(errno.EPERM, _NOT_OWN, name)
        if mode is not None and hasattr(os, "fchmod"):
            os.fchmod(descriptor, mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
