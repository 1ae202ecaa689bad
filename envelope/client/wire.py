"""What goes to an address and what comes back, without HTTP clients: `Send`, `Reply`, `Fault`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from envelope.calls.reply_bodies import BodyError
from envelope.client.errors import FailureKind

__all__ = ["LATE", "Fault", "Reply", "Send", "fault_of"]


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
