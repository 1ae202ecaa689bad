"""Prices: the most that a call can cost, which is held, and what it costs, which is charged. All in micro-units.

A row's price is for the call, and for 1,000 tokens of prompt and of completion. Of several rows, the first that names
the call's method and model is its price; a call that none names is free.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from envelope.gateway.money import MAX_AMOUNT

if TYPE_CHECKING:
    from envelope.gateway.upstreams.usage import Usage

__all__ = ["FREE", "Price", "Prices"]

_TOO_MUCH: Final = MAX_AMOUNT + 1
_MAXIMA: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_NUMBER: Final = re.compile(r" *\+?[0-9]{1,18} *", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one kind of call costs, in micro-units.

    ``method`` and ``model`` are patterns, in which ``*`` is anything. ``call`` is for the call itself, ``cached`` for
    one that is answered from the cache, ``prompt`` and ``completion`` for 1,000 tokens. ``max_completion`` is how many
    tokens of completion are held for a call that says no maximum itself, and charged for at most.
    """

    method: str = "*"
    model: str = "*"
    call: int = 0
    cached: int = 0
    prompt: int = 0
    completion: int = 0
    max_completion: int = 4096

    def hold(self, args: Mapping[str, Any], size: int) -> int:
        """The most that a call with these arguments can cost; *size* is that of what is sent, in bytes.

        A token of prompt has at least one byte. The completion has the arguments' ``max_tokens`` (by newer names
        ``max_completion_tokens`` and ``max_output_tokens``), for each of ``n`` or ``best_of`` choices.
        """
        most = max(_count(args.get(name)) for name in _MAXIMA) or self.max_completion
        choices = max(_count(args.get("n")), _count(args.get("best_of")), 1)
        return self._for(size, most * choices)

    def charge(self, usage: Usage | None, *, size: int, delivered: int) -> int:
        """What the call costs by the upstream's *usage*.

        If the upstream does not say, the prompt counts as it was held, and the completion a token for each of the bytes
        that were *delivered*. Whoever settles never charges more than was held.
        """
        prompt, completion = (size, delivered) if usage is None else (usage.prompt, usage.completion)
        return self._for(prompt, completion)

    def _for(self, prompt: int, completion: int) -> int:
        """The price of so many tokens, but no more than what no balance covers, which any store can hold."""
        return min(self.call + _for_tokens(self.prompt, prompt) + _for_tokens(self.completion, completion), _TOO_MUCH)


FREE: Final = Price()
"""The price of what no row names."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The rows, in the order in which they are tried."""

    rows: Sequence[Price] = ()

    def of(self, method: str, model: str) -> Price:
        """The price of a call of *method* with *model*; ``""`` for a call without one."""
        for row in self.rows:
            if fnmatchcase(method, row.method) and fnmatchcase(model, row.model):
                return row
        return FREE


def _count(value: Any) -> int:
    """A number of tokens or choices as a caller gives it, in a form also as a text; 0 for what is none."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = int(value)
    if type(value) is float and math.isfinite(value):
        value = math.ceil(value)
    return value if type(value) is int and value > 0 else 0


def _for_tokens(price: int, tokens: int) -> int:
    """The price of so many tokens, rounded up to a whole micro-unit."""
    return -(-price * tokens // 1000)
