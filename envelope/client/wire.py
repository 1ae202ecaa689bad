"""What goes to an address and what comes back, without HTTP clients: `Send`, `Reply`, `Fault`, and the body's bytes."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from envelope.client.errors import FailureKind

__all__ = ["LATE", "BodyReader", "Fault", "Reply", "Send", "fault_of", "seconds_to_wait"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One request, and how many seconds it may take: ``connect`` for the connection, ``total`` for everything."""

    verb: str
    url: str = field(repr=False)  # has the key
    headers: list[tuple[str | bytes, str | bytes]]
    body: bytes = field(repr=False)
    connect: float
    total: float
    max_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; ``body`` is decompressed. If its end was not announced (``is_bounded``), it may have been cut."""

    status: int
    content_type: str
    retry_after: str
    is_bounded: bool = True
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """No whole answer came."""

    kind: FailureKind
    reason: str


LATE: Final = Fault("timeout", "no whole answer in time")


class BodyError(Exception):
    """A body that will not be read to its end."""

    def __init__(self, kind: FailureKind, reason: str) -> None:
        super().__init__(reason)
        self.kind: FailureKind = kind
        self.reason = reason


class BodyReader:
    """A body as it arrives, plain or gzip; never more than *max_bytes* of it, decompressed, are in memory.

    *encoding* and *length* are the headers' (``""`` if there is none). What it raises is for `fault_of`.
    """

    def __init__(self, encoding: str, length: str, max_bytes: int) -> None:
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise BodyError("no-envelope", "a content encoding that was not asked for")
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
_SECONDS: Final = re.compile(r"[0-9]{1,9}")


def seconds_to_wait(retry_after: str, now: float) -> float | None:
    """The seconds from *now* (Unix time) that a `Retry-After` asks for, never negative; None if it says nothing."""
    text = retry_after.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(date.timestamp() - now, 0.0)


# Before there is a connection.
_UNSENT: Final = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"})


def fault_of(error: Exception) -> Fault:
    """What *error* of an HTTP client means. Only its class is told: it holds the request."""
    if isinstance(error, BodyError):
        return Fault(error.kind, error.reason)
    names = {base.__name__ for base in type(error).__mro__}
    name = type(error).__name__
    if names & _UNSENT:
        return Fault("unreachable", f"no connection ({name})")
    if "TimeoutException" in names or isinstance(error, TimeoutError):
        return Fault("timeout", f"no answer in time ({name})")
    return Fault("network", f"no whole answer ({name})")
