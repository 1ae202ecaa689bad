"""`AttemptEvent`: what a client tells logs and metrics about each attempt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envelope.client.errors import FailureKind

__all__ = ["AttemptEvent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEvent:
    """One attempt of a call, when it is over. Nothing in it is secret: no key, no parameters, no answer.

    ``number`` counts a call's attempts from 1; ``address`` is the client's, ``index`` its place from 0; ``seconds`` is
    how long the attempt took. ``failure`` is None if it succeeded. ``http_status`` and ``error_code`` are None where
    none came.
    """

    number: int
    address: str
    index: int
    api_type: str
    api_name: str
    method: str
    seconds: float
    failure: FailureKind | None
    http_status: int | None
    error_code: str | None
