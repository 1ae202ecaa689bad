"""Content negotiation: the format and the language that `Accept` and `Accept-Language` prefer.

Both are weighted lists (RFC 9110, 12.4.2 and 12.5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envelope.calls.media import MEDIA_TYPES
from envelope.formats import ResultType
from envelope.registry.languages import Lang

__all__ = ["negotiate_format", "negotiate_lang"]

# A weight has at most three decimals, and is at most 1.
_WEIGHT = re.compile(r"q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
_MAX_NAME = 100
_MAX_PARTS = 100


def _weighted(header: str) -> Iterator[tuple[str, float]]:
    """The parts of *header*, in order: each name in lower case, its parameters without spaces, and its weight.

    A part with an invalid weight, or after the first 100, is ignored: a bad header is not worth an error.
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


_ACCEPTED = MEDIA_TYPES | {"application/json;charset=utf-8": ResultType.JSONU}
# What `*/*` stands for, in this order, unless named explicitly.
_WILD = (ResultType.JSON, ResultType.XML, ResultType.SERIALIZE, ResultType.VAR_EXPORT)


def negotiate_format(accept: str | None, default: ResultType = ResultType.JSON) -> ResultType:
    """The format that an `Accept` header prefers; *default* if it accepts none of the five, or any."""
    if not accept or accept == "*/*":  # as most clients have it
        return default
    weights: dict[ResultType, float] = {}
    others = 0.0
    for name, weight in _weighted(accept):
        name = name.replace(" ", "").replace('"', "")
        if name in ("*/*", "application/*"):
            others = max(others, weight)
        elif (result_type := _ACCEPTED.get(name)) is not None:
            weights[result_type] = max(weight, weights.get(result_type, 0.0))
    # Of equal weights the one named first wins.
    for result_type in (default, *_WILD):
        weights.setdefault(result_type, others)
    best = max(weights, key=weights.__getitem__)
    return best if weights[best] > 0 else default


def negotiate_lang(accept_language: str | None, default: Lang | str = Lang.CN) -> Lang:
    """The language that an `Accept-Language` header prefers; *default* if it accepts none of the three."""
    default = Lang(default)
    if not accept_language:
        return default
    weights: dict[Lang, float] = {}
    others = 0.0
    for name, weight in _weighted(accept_language):
        if name == "*":
            others = weight
            continue
        try:
            lang = Lang(name)
        except ValueError:
            continue
        weights[lang] = max(weight, weights.get(lang, 0.0))
    # Of equal weights the one named first wins; languages covered only by * come last, the default first among them.
    for lang in (default, *Lang):
        weights.setdefault(lang, others)
    best = max(weights, key=weights.__getitem__)
    return best if weights[best] > 0 else default
