"""`Caller`: the format and the language in which somebody wants an answer."""

from __future__ import annotations

from dataclasses import dataclass

from envelope.formats import ResultType
from envelope.registry.languages import Lang

__all__ = ["DEFAULT_CALLER", "Caller"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is answered, as far as an answer depends on it; json and Chinese unless a caller asks for others."""

    result_type: ResultType = ResultType.JSON
    lang: Lang = Lang.CN


DEFAULT_CALLER = Caller()
