"""Bytes in and out: input up to a bound, standard output to the byte, files that change in one step or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys

import click

from envelope.cli.common.report import printable
from envelope.errors import DecodeError
from envelope.hints import Hint

__all__ = ["check_size", "read_input", "write_output"]


def read_input(name: str, max_bytes: int) -> bytes:
    """The file's bytes, or standard input's where *name* is `-`; never more than one beyond *max_bytes*.

    What cannot be read is a usage error.
    """
    count = -1 if max_bytes == sys.maxsize else max_bytes + 1
    try:
        if name != "-":
            with open(name, "rb") as file:
                return file.read(count)
        if sys.stdin is None:
            raise OSError(errno.EBADF, "it is closed")
        return sys.stdin.buffer.read(count)
    except OSError as exc:
        raise click.UsageError(f"cannot read {_title(name, 'standard input')}: {exc.strerror}") from None


def check_size(data: bytes, format: str, max_bytes: int, *, hint: Hint | None = None) -> None:
    """Raise `DecodeError` where `read_input` read more than *max_bytes*, and so not all there is."""
    # The library would name a size, which is unknown: no more was read than shows that it is too much.
    if len(data) > max_bytes:
        raise DecodeError(
            f"the input is longer than {max_bytes} bytes",
            kind="limit",
            format=format,
            offset=max_bytes,
            hint=hint,
        )


def write_output(name: str, body: bytes) -> None:
    """Put *body* into the file, or on standard output where *name* is `-`. A broken pipe is the caller's to see."""
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
        while left:  # unbuffered (PYTHONUNBUFFERED), a write may take a part only
            left = left[stream.write(left) :]
        if stream.isatty() and not body.endswith(b"\n"):  # the prompt begins a line of its own
            stream.write(b"\n")
        stream.flush()
    except OSError:
        # What is left in the buffer must not fail once more when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise


def _write_file(name: str, body: bytes) -> None:
    if not name or name.endswith(os.sep):
        raise IsADirectoryError(errno.EISDIR, "that names no file")
    mode = None
    with contextlib.suppress(FileNotFoundError):
        mode = os.stat(name).st_mode
    if mode is not None and not stat.S_ISREG(mode):
        # A device or a named pipe holds nothing to keep, and must stay what it is.
        with open(name, "wb") as file:
            file.write(body)
        return
    # Where the name is a link, the file behind it is replaced, not the link.
    path = os.path.realpath(name)
    temporary = os.path.join(os.path.dirname(path), f".envelope-{os.urandom(8).hex()}.tmp")
    try:
        with open(temporary, "xb") as file:
            if mode is not None:
                os.chmod(temporary, stat.S_IMODE(mode))
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
