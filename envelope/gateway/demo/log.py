"""`Served`: what the demo keeps of each request, so that a gateway's books can be compared with it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Served"]


@dataclass(slots=True, kw_only=True)
class Served:
    """One request. ``is_whole``: all of the answer was sent; only then were the tokens of a success delivered.

    ``status`` is 0 until one is sent.
    """

    number: int
    method: str
    model: str = ""
    status: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    is_whole: bool = False
