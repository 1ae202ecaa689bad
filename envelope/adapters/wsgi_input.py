"""The body of a WSGI call that several may read: its app, and whoever must know what the caller wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from envelope.errors import RequestError

if TYPE_CHECKING:
    from wsgiref.types import InputStream, WSGIEnvironment

__all__ = ["WsgiInput"]

_CHUNK: Final = 64 * 1024


class WsgiInput:
    """A ``wsgi.input`` that remembers its first *remembered* bytes, and can show them before the app reads them.

    The app reads it as the server's own, but never beyond the length that the caller declared, where some servers
    would wait for ever.
    """

    def __init__(self, environ: WSGIEnvironment, *, remembered: int = 0) -> None:
        self._source: InputStream = environ["wsgi.input"]
        self._remembered = remembered
        length = environ.get("CONTENT_LENGTH") or ""
        self.length = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else None
        """How long the caller says the body is, in bytes; None if that is not said."""
        # Without either, nobody but the app's server knows where the body ends.
        self._has_end = self.length is not None or bool(environ.get("wsgi.input_terminated"))
        self._is_chunked = bool(environ.get("HTTP_TRANSFER_ENCODING"))
        self._left = self.length
        self._first = bytearray()
        self._ahead = b""  # what was shown, and the app has not read yet
        self._taken = 0  # how much the source has given
        self._is_broken = False

    def read(self, size: int = -1, /) -> bytes:
        """As of any file."""
        data = self._shown(len(self._ahead), size)
        wanted = size - len(data) if size >= 0 else -1
        return data + self._take(wanted, self._source.read)

    def readline(self, size: int = -1, /) -> bytes:
        """As of any file."""
        data = self._shown(self._ahead.find(b"\n") + 1 or len(self._ahead), size)
        wanted = size - len(data) if size >= 0 else -1
        return data if data.endswith(b"\n") else data + self._take(wanted, self._source.readline)

    def readlines(self, _hint: int = -1, /) -> list[bytes]:
        """As of any file."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def show(self) -> bytes | None:
        """The whole body, which the app can still read; None if more than is remembered, or if its end is not known."""
        if self.length is not None and self.length > self._remembered:
            return None  # and the caller need not send it
        while self._has_end and len(self._first) <= self._remembered:
            if not (data := self._take(min(_CHUNK, self._remembered + 1 - len(self._first)), self._source.read)):
                return bytes(self._first)
            self._ahead += data
        return None

    def replay(self) -> Iterator[bytes]:
        """The whole body, in parts, whoever has read of it before; nobody can read the rest of it later.

        `RequestError` if it is shorter than declared, if its end is not known, or if it cannot be read: the caller has
        hung up, or its chunks are malformed.
        """
        if not self._has_end:
            if self._is_chunked:
                raise RequestError("the body has no length, and this server does not know where it ends")
            return
        if self._taken > len(self._first):
            raise RuntimeError("the body was read before, and is too long to be remembered")
        self._ahead = b""
        yield bytes(self._first)
        while data := self._next():
            yield data
        if self.length is not None and self._taken < self.length:
            raise RequestError("the body is shorter than declared")

    def _next(self) -> bytes:
        with suppress(OSError):  # it may hold what was sent, so the error that is raised must not hold it
            return self._take(_CHUNK, self._source.read)
        raise RequestError("the body cannot be read to its end")

    def _shown(self, length: int, size: int) -> bytes:
        """The first *length* bytes of what was shown, but no more than *size*: the app reads them now."""
        data = self._ahead[: length if size < 0 else min(length, size)]
        self._ahead = self._ahead[len(data) :]
        return data

    def _take(self, size: int, reader: Callable[[int], bytes]) -> bytes:
        if self._left is not None:
            size = self._left if size < 0 else min(size, self._left)
        if not size:
            return b""
        if self._is_broken:  # what comes after a fault means nothing, and some servers would wait for it
            raise OSError("the body could not be read")
        self._is_broken = True
        data = reader(size)
        self._is_broken = False
        if self._left is not None:
            self._left -= len(data)
        self._taken += len(data)
        self._first += data[: self._remembered + 1 - len(self._first)]
        return data
