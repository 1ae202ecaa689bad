"""What a request to one upstream brings, without its HTTP client: a `Reply` or a `Fault`."""

from __future__ import annotations

from dataclasses import dataclass, field

from envelope.gateway.upstreams.outcome import What

__all__ = ["Fault", "Reply"]


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; the ``body`` is decompressed."""

    status: int
    content_type: str
    retry_after: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """No whole answer came, and why; the ``status`` if the headers did."""

    what: What
    status: int | None = None
    retry_after: str = ""
