"""What was unwrapped: every layer, where it stood, and what was left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from envelope.formats import ResultType
    from envelope.options import Dialect

__all__ = ["LAYERS", "SHOWN", "Layer", "LayerName", "Unwrapped"]

LayerName = Literal[
    "bom",
    "line-end",
    "space",
    "notice",
    "guard",
    "expiry",
    "lines",
    "jsonp",
    "gzip",
    "zlib",
    "deflate",
    "base64",
    "hex",
    "slashes",
    "doubled-quotes",
]
"""A layer that `unwrap` takes off; `LAYERS` describes each."""

LAYERS: Final[tuple[LayerName, ...]] = get_args(LayerName)
"""The layers that can be taken off, by name."""

SHOWN: Final = 60
"""How many bytes of what was taken away a report shows at most, on each side."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One step. Places and sizes are in bytes of the data as it stood before this step.

    ``offset`` is the first byte that was taken away or decoded. ``before_size`` bytes stood before the document and
    ``after_size`` behind it; ``before`` and ``after`` are their beginnings, of at most 60 bytes. ``is_decoded``: what
    was between them did not stay as it stood (base64, slashes), so its size and its offsets are others now. ``detail``
    says which of several ways it was (``"url-safe"``), ``""`` if there is but one.
    """

    name: LayerName
    offset: int
    before: bytes
    before_size: int
    after: bytes
    after_size: int
    is_decoded: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """What is left: ``data``, and the ``layers`` that were taken off, outermost first.

    ``format`` and ``dialect`` say how ``data`` reads, or what it looks like if it does not; both are None if that is
    unknown. ``reads`` says whether it does, with JSON_BIGINT_AS_STRING if it is JSON. A document of bytes that are no
    UTF-8 only looks like one.
    """

    data: bytes
    layers: tuple[Layer, ...]
    format: ResultType | None
    dialect: Dialect | None
    reads: bool
