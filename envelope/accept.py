"""What a caller accepts: the weighted lists of `Accept` and `Accept-Language` (RFC 9110, 12.4.2 and 12.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["weighted"]

# A weight has at most three decimals, and is at most 1.
_WEIGHT = re.compile(r"q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
_MAX_NAME = 100
_MAX_PARTS = 100


def weighted(header: str) -> Iterator[tuple[str, float]]:
    """What *header* lists, in order: each name in lower case, its parameters without spaces, and its weight.

    A part whose weight is none, or behind the first 100, counts as if it were not there: headers are not worth an
    error.
    """
    for part in header.lower().split(",", _MAX_PARTS)[:_MAX_PARTS]:
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q"):
                match = _WEIGHT.fullmatch(parameter)
                weight = float(match[1]) if match else -1.0
                break
            name += f";{parameter}"
        if name and weight >= 0 and len(name) <= _MAX_NAME:
            yield name, weight
