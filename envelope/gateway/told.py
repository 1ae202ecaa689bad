"""`Told`: an answer with what its upstream's HTTP said, for those faces that say it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from envelope.answers.envelope import Envelope

__all__ = ["Told"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Told(Envelope[Any]):
    """An answer, and the HTTP ``status`` that its upstream sent; None if there was none."""

    status: int | None = None
