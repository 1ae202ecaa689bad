"""The body of an answer as it arrives: bounded, and decompressed within the bound."""

from __future__ import annotations

import re
import zlib
from typing import Final, Literal

__all__ = ["BodyError", "BodyFault", "BodyReader"]

BodyFault = Literal["encoding", "limit", "network"]
"""``encoding``: one that was not asked for. ``limit``: too long. ``network``: cut."""


class BodyError(Exception):
    """A body that will not be read to its end."""

    def __init__(self, kind: BodyFault, reason: str) -> None:
        super().__init__(reason)
        self.kind: BodyFault = kind
        self.reason = reason


class BodyReader:
    """A body as it arrives, plain or gzip; never more than *max_bytes* of it, decompressed, are in memory.

    *encoding* and *length* are the headers' (``""`` if there is none). `BodyError` for what will not be read.
    """

    def __init__(self, encoding: str, length: str, max_bytes: int) -> None:
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise BodyError("encoding", "a content encoding that was not asked for")
        if _LENGTH.fullmatch(length) and int(length) > max_bytes:
            raise BodyError("limit", _TOO_LONG)
        self._gzip = zlib.decompressobj(_GZIP) if encoding.endswith("gzip") else None
        self._left = max_bytes
        self._parts: list[bytes] = []

    def add(self, chunk: bytes) -> None:
        """Take the next *chunk*, as it came over the network."""
        if self._gzip is not None:
            if self._gzip.eof and chunk:  # zlib would keep it, however much there is
                raise BodyError("network", _NOT_WHOLE)
            # One byte more than may be: then it is too much. A max_length of 0 would be none.
            chunk = self._gzip.decompress(chunk, self._left + 1)
        self._left -= len(chunk)
        if self._left < 0:
            raise BodyError("limit", _TOO_LONG)
        self._parts.append(chunk)

    def whole(self) -> bytes:
        """All of it, when no more will come."""
        if self._gzip is not None and self._parts and (not self._gzip.eof or self._gzip.unused_data):
            raise BodyError("network", _NOT_WHOLE)
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)


_TOO_LONG: Final = "the answer is longer than Limits.max_bytes"
_NOT_WHOLE: Final = "the gzip data end too early or too late"
_LENGTH: Final = re.compile(r"[0-9]{1,19}")
_GZIP: Final = 16 + zlib.MAX_WBITS
