"""`UpstreamCall`: what a gateway's caller asks of an upstream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from envelope.calls.http import Upload

__all__ = ["UpstreamCall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamCall:
    """A call as its caller made it: the ``method``, its ``args`` (``_o_args``; None if none were sent), further
    ``params``, and ``files``, which whoever answers the call closes."""

    method: str
    args: Mapping[str, Any] | None = field(default=None, repr=False)
    params: Mapping[str, Any] = field(default_factory=dict, repr=False)
    files: tuple[Upload, ...] = field(default=(), repr=False)
