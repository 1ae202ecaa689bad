"""The body of a call as it arrives: unpacked, bounded, and a multipart form as its fields and files.

It is the same for WSGI and ASGI, and reads nothing itself: a server feeds a `BodyReader`.
"""

from __future__ import annotations

import zlib

from envelope.adapters.multipart import MAX_FILES_BYTES, Form, MultipartReader, TooLarge, is_multipart
from envelope.calls.bounds import REQUEST_LIMITS
from envelope.calls.media import FORM_TYPE, split_content_type
from envelope.errors import RequestError
from envelope.formats import ResultType
from envelope.limits import Limits

__all__ = ["BodyReader", "UnknownEncoding", "has_parameters"]

# As `read_body` takes them.
_CARRIERS = frozenset(("", "text/plain", FORM_TYPE, ResultType.JSON.media_type))
_CHUNK = 64 * 1024  # how much is unpacked at a time


class UnknownEncoding(RequestError):
    """A body is compressed in another way than gzip: HTTP calls it 415."""


class BodyReader:
    """Reads a body as it arrives: `feed` it the bytes, then `finish`; `close` it if anything fails.

    *content_type* and *content_encoding* are the headers of the call. A body is at most ``max_bytes`` of *limits*, as
    it comes and unpacked; a multipart form as `MultipartReader` says. `TooLarge` for more, `UnknownEncoding` for what
    is neither plain nor gzip, `RequestError` (4003) for what cannot be unpacked.
    """

    def __init__(
        self,
        content_type: str = "",
        content_encoding: str = "",
        *,
        limits: Limits = REQUEST_LIMITS,
        max_files_bytes: int = MAX_FILES_BYTES,
    ) -> None:
        encoding = content_encoding.strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise UnknownEncoding("the body is compressed in another way than gzip")
        self._is_packed = encoding.endswith("gzip")
        self._unpacker = _gunzip()
        self._content_type = content_type
        self._form: MultipartReader | None = None
        self._longest = limits.max_bytes
        if is_multipart(content_type):
            self._form = MultipartReader(content_type, limits=limits, max_files_bytes=max_files_bytes)
            self._longest += max_files_bytes
        self._arrived = 0
        self._body = bytearray()

    def declare(self, length: int) -> None:
        """Refuse at once a body that is said to be longer than this reader reads: `TooLarge`."""
        if length > self._longest:
            raise TooLarge(f"the body is longer than {self._longest} bytes")

    def feed(self, data: bytes) -> None:
        """Read the next bytes of the body."""
        self._arrived += len(data)
        self.declare(self._arrived)
        if self._is_packed:
            self._unpack(data)
        else:
            self._take(data)

    def finish(self) -> Form:
        """The whole body, after its last byte."""
        if not self._arrived:
            return Form(b"", (), self._content_type)
        if self._is_packed and not self._unpacker.eof:
            raise RequestError("the body ends before its last compressed byte")
        if self._form is not None:
            return self._form.finish()
        return Form(bytes(self._body), (), self._content_type)

    def close(self) -> None:
        """Close the files that were not handed on by `finish`."""
        if self._form is not None:
            self._form.close()

    def _take(self, data: bytes) -> None:
        if self._form is not None:
            self._form.feed(data)
            return
        self.declare(len(self._body) + len(data))
        self._body += data

    def _unpack(self, data: bytes) -> None:
        while data:
            if self._unpacker.eof:  # a file of gzip may have several members
                self._unpacker = _gunzip()
            try:
                unpacked = self._unpacker.decompress(data, _CHUNK)
            except zlib.error:
                raise RequestError("the body is not gzip") from None
            self._take(unpacked)
            data = self._unpacker.unconsumed_tail or self._unpacker.unused_data


def _gunzip() -> zlib._Decompress:
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def has_parameters(content_type: str) -> bool:
    """Whether a body of this type can have the parameters of a call."""
    return is_multipart(content_type) or split_content_type(content_type)[0] in _CARRIERS
