"""The body of a call as a server reads it: bounded while it arrives, decompressed, and multipart forms taken apart."""

from __future__ import annotations

import zlib
from typing import Final

from envelope.adapters.multipart import MAX_FILES_BYTES, Form, MultipartReader, TooLarge, is_multipart
from envelope.calls.media import FORM_TYPE, split_content_type
from envelope.errors import RequestError
from envelope.formats import ResultType
from envelope.limits import Limits

__all__ = ["BodyReader", "Inflater", "has_parameters", "longest"]

_WINDOWS: Final = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # zlib's names for the two formats
# As a call's body is read; fetch() sends a JSON text as text/plain unless given a type.
_CARRIERS: Final = frozenset(("", "text/plain", FORM_TYPE, ResultType.JSON.media_type))
_STEP: Final = 64 * 1024


def longest(content_type: str, limits: Limits, max_files_bytes: int = MAX_FILES_BYTES) -> int:
    """How many bytes a body of this type may have: a multipart form may have files as well."""
    return limits.max_bytes + max_files_bytes if is_multipart(content_type) else limits.max_bytes


def has_parameters(content_type: str) -> bool:
    """Whether a body of this type can have the parameters of a call."""
    return is_multipart(content_type) or split_content_type(content_type)[0] in _CARRIERS


class Inflater:
    """Undoes a Content-Encoding (gzip or deflate; ``""`` is none) piece by piece, within *max_bytes* of output.

    `TooLarge` as soon as there are more, before they are made; `RequestError` for other encodings and damaged bytes.
    """

    def __init__(self, encoding: str, max_bytes: int) -> None:
        encoding = encoding.strip().lower()
        self._arrived = 0
        self._left = max_bytes
        self._max_bytes = max_bytes
        self._inflate = None
        if encoding not in ("", "identity"):
            if encoding not in _WINDOWS:
                raise RequestError("the body has a Content-Encoding other than gzip and deflate")
            self._inflate = zlib.decompressobj(_WINDOWS[encoding])

    def feed(self, data: bytes) -> bytes:
        """What these bytes of the body stand for."""
        if self._inflate is None:
            self._count(len(data))
            return data
        self._arrived += len(data)
        if self._arrived > self._max_bytes:  # without an end, though it stands for nothing
            raise TooLarge(f"the body is longer than {self._max_bytes} bytes")
        pieces: list[bytes] = []
        for start in range(0, len(data), _STEP):  # zlib copies what it has not read yet each time
            step = data[start : start + _STEP]
            while step:
                if self._inflate.eof:
                    raise RequestError("bytes follow the compressed body")
                try:
                    pieces.append(self._inflate.decompress(step, _STEP))
                except zlib.error:
                    raise RequestError("the compressed body is damaged") from None
                self._count(len(pieces[-1]))
                step = self._inflate.unconsumed_tail or self._inflate.unused_data
        return b"".join(pieces)

    def finish(self) -> None:
        """There are no more: `RequestError` if the compressed body is cut. Nothing at all is no body."""
        if self._inflate is not None and not self._inflate.eof and self._arrived:
            raise RequestError("the compressed body is cut")

    def _count(self, length: int) -> None:
        self._left -= length
        if self._left < 0:
            raise TooLarge(f"the body is longer than {self._max_bytes} bytes")


class BodyReader:
    """Reads a body as it arrives: `feed` it the bytes, then `finish`; `close` it if anything fails.

    The arguments are the call's headers, ``""`` if missing. `TooLarge` at once if *content_length* is already more than
    `longest`.
    """

    def __init__(
        self,
        *,
        content_type: str,
        content_encoding: str,
        content_length: str,
        limits: Limits,
        max_files_bytes: int = MAX_FILES_BYTES,
    ) -> None:
        bound = longest(content_type, limits, max_files_bytes)
        if content_length.isdecimal() and int(content_length[:20]) > bound:
            raise TooLarge(f"the body is longer than {bound} bytes")
        self._content_type = content_type
        self._inflater = Inflater(content_encoding, bound)
        self._body = bytearray()
        self._form: MultipartReader | None = None
        if is_multipart(content_type):
            self._form = MultipartReader(content_type, limits=limits, max_files_bytes=max_files_bytes)

    def feed(self, data: bytes) -> None:
        """Read the next bytes as they came."""
        inflated = self._inflater.feed(data)
        if self._form is None:
            self._body += inflated
        else:
            self._form.feed(inflated)

    def finish(self) -> Form:
        """The body, its type as `HttpRequest` has it, and the files, which whoever answers the call closes."""
        self._inflater.finish()
        return Form(bytes(self._body), (), self._content_type) if self._form is None else self._form.finish()

    def close(self) -> None:
        """Close the files that were not handed on."""
        if self._form is not None:
            self._form.close()
