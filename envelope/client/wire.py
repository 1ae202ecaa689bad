"""What goes to an address and what comes back, without HTTP clients: `Send`, `Reply`, `Fault`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from envelope.calls.reply_bodies import BodyError
from envelope.client.errors import FailureKind

__all__ = ["LATE", "Fault", "Flow", "Reply", "Send", "fault_of", "is_stream", "within"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One request, and how many seconds it may take: ``connect`` for the connection, ``total`` for everything.

    ``is_stream`` says that a stream of events is wanted: then the answer is a `Flow`, if it is one.
    """

    verb: str
    url: str = field(repr=False)  # has the key
    headers: list[tuple[str | bytes, str | bytes]]
    body: bytes = field(repr=False)
    connect: float
    total: float
    max_bytes: int
    is_stream: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """A stream of events that has begun: its bytes as they come, blocking or awaited, and what closes it.

    The bytes end early, with an error of the HTTP client's or `TimeoutError`, if it breaks or takes too long.
    """

    http_status: int
    chunks: Any
    close: Callable[[], Any]


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


# Before there is a connection.
_UNSENT: Final = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"})


def fault_of(error: Exception) -> Fault:
    """What *error* of an HTTP client means. Only its class is told: it holds the request."""
    if isinstance(error, BodyError):
        return Fault("no-envelope" if error.kind == "encoding" else error.kind, error.reason)
    names = {base.__name__ for base in type(error).__mro__}
    name = type(error).__name__
    if names & _UNSENT:
        return Fault("unreachable", f"no connection ({name})")
    if "TimeoutException" in names or isinstance(error, TimeoutError):
        return Fault("timeout", f"no answer in time ({name})")
    return Fault("network", f"no whole answer ({name})")


def is_stream(content_type: str) -> bool:
    """Whether an answer of this type is a stream of events."""
    return content_type.partition(";")[0].strip().lower() == "text/event-stream"


async def within(chunks: AsyncIterator[bytes], end: float) -> AsyncIterator[bytes]:
    """*chunks* until *end*, by the loop's clock; `TimeoutError` then."""
    while True:
        async with asyncio.timeout_at(end):
            chunk = await anext(chunks, None)
        if chunk is None:
            return
        yield chunk
