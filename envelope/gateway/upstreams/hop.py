"""What a request to one upstream brings, without its HTTP client: a `Reply` or a `Fault`."""

from __future__ import annotations

from typing import NamedTuple

from envelope.gateway.upstreams.outcome import What

__all__ = ["Fault", "Reply"]


class Reply(NamedTuple):
    """A whole answer; the ``body`` is decompressed. Made for every call, so of the kind that is made fastest."""

    status: int
    content_type: str
    retry_after: str
    body: bytes


class Fault(NamedTuple):
    """No whole answer came, and why; the ``status`` if the headers did."""

    what: What
    status: int | None = None
    retry_after: str = ""
