"""`Usage`: the tokens that an answer says it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeGuard

__all__ = ["Usage", "usage_of"]

_MOST: Final = 2**53  # more is no count


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens: ``prompt`` of the call, ``completion`` of the answer."""

    prompt: int
    completion: int


def usage_of(response: Any) -> Usage | None:
    """What *response* has under ``usage``; None if it has none, or one that cannot be.

    Embeddings have no completion; newer methods say ``input_tokens`` and ``output_tokens``.
    """
    usage = response.get("usage") if isinstance(response, dict) else None
    if not isinstance(usage, dict):
        return None
    prompt = usage.get("prompt_tokens", usage.get("input_tokens"))
    completion = usage.get("completion_tokens", usage.get("output_tokens", 0))
    if not _is_count(prompt) or not _is_count(completion):
        return None
    return Usage(prompt, completion)


def _is_count(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= _MOST
