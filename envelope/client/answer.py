"""`Answer`: the envelope that a call returns, and what the client knows about how it came."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from envelope.answers.envelope import Envelope
from envelope.answers.verdicts import Verdict
from envelope.formats import ResultType

__all__ = ["Answer"]

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Answer(Envelope[T_co]):
    """An `Envelope` with the story of its call; it equals any envelope with the same fields.

    ``verdict``      the call's outcome (`envelope.answers.judge`).
    ``http_status``  as it came; 200 if the answer is from the cache.
    ``address``      which of the client's addresses answered, from 0; None if the cache did.
    ``attempts``     how many calls were sent, or tried to be.
    ``cached``       whether it is from the cache, ``stale`` whether it is older than fresh: then every address failed.
    ``format``       the format that it came in, and ``body`` its bytes, as in `envelope.decode`.
    """

    verdict: Verdict
    http_status: int
    address: int | None
    attempts: int
    cached: bool = False
    stale: bool = False
    format: ResultType
    body: bytes = field(repr=False)

    @property
    def receipt(self) -> Any:
        """What the gateway says the call cost (``extras["receipt"]``); None if it does not."""
        return self.extras.get("receipt")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Envelope):
            return NotImplemented
        return all(getattr(self, entry.name) == getattr(other, entry.name) for entry in _COMPARED)

    __hash__ = None  # type: ignore[assignment]  # its fields are maps and lists


_COMPARED = tuple(entry for entry in fields(Envelope) if entry.compare)
