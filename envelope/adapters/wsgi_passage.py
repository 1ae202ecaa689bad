"""The answer of a WSGI app on its way to the server: held back until it is known whether it is a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from envelope.adapters.http_failures import MAX_FAILURE_BYTES, Headers

if TYPE_CHECKING:
    from types import TracebackType
    from typing import TypeAlias
    from wsgiref.types import StartResponse, WSGIEnvironment

    ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

__all__ = ["Passage"]


class Passage:
    """The answer of an app on its way out: held back until it is known what it is."""

    def __init__(self, environ: WSGIEnvironment, start_response: StartResponse) -> None:
        self._start_response = start_response
        self._status = ""
        self._held: list[bytes] = []
        self._files: list[object] = []
        self.headers: Headers = []
        self.has_begun = False
        """Whether the server has been told, so that nothing else can be answered."""
        if (file_wrapper := environ.get("wsgi.file_wrapper")) is not None:
            environ["wsgi.file_wrapper"] = partial(self._wrap, file_wrapper)

    @property
    def code(self) -> int:
        """The HTTP status; 0 before the app has said it."""
        return int(self._status[:3] or 0)

    def start(self, status: str, headers: Headers, exc_info: ExcInfo | None = None, /) -> Callable[[bytes], None]:
        """What the app calls as its ``start_response``."""
        if exc_info is not None and exc_info[1] is not None and self.has_begun:
            raise exc_info[1]
        if exc_info is None and self._status:
            raise RuntimeError("the app has called start_response twice")
        self._status, self.headers = status, headers
        self._held.clear()
        return self._write

    def of(self, result: Iterable[bytes], passes: Callable[[bytes], bool]) -> Iterable[bytes] | None:
        """What the server gets of *result*; None for a failure whose body does not pass."""
        is_handed_on = False
        try:
            is_whole = isinstance(result, list | tuple) or any(result is file for file in self._files)
            if is_whole and self._status and self.code < 400:
                self._begin()
                is_handed_on = True
                return result
            rest = self._hold(result)
            if self.code >= 400 and not passes(b"".join(self._held)):
                return None
            self._begin()
            is_handed_on = True
            return _Closing(chain(self._held, rest), result)
        finally:
            if not is_handed_on:
                _close(result)

    def _hold(self, result: Iterable[bytes]) -> Iterator[bytes]:
        """Hold back a failure as far as it is looked at, of others the first byte; returns the rest."""
        chunks = iter(result)
        length = sum(map(len, self._held))
        for chunk in chunks:
            self._held.append(chunk)
            length += len(chunk)
            if length > (MAX_FAILURE_BYTES if self.code >= 400 else 0):
                break
        if not self._status:
            raise RuntimeError("the app has not called start_response")
        return chunks

    def _begin(self) -> None:
        if not self.has_begun:
            self.has_begun = True
            self._send = self._start_response(self._status, self.headers)

    def _write(self, data: bytes) -> None:
        """PEP 3333's older way to send a body."""
        if self.code >= 400:
            self._held.append(data)
            return
        self._begin()
        self._send(data)

    def _wrap(self, file_wrapper: Callable[..., Iterable[bytes]], *args: Any) -> Iterable[bytes]:
        """Servers know their files by their class, and send them in a quicker way: they must stay as they are."""
        self._files.append(file := file_wrapper(*args))
        return file


class _Closing:
    """The parts of an answer; the server closes what they come from."""

    def __init__(self, chunks: Iterator[bytes], result: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._result = result

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        _close(self._result)


def _close(result: Iterable[bytes]) -> None:
    if (close := getattr(result, "close", None)) is not None:
        close()
