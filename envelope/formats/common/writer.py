"""What the writers of text share: pieces in, bytes out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from envelope.formats.common.conform import Unwritable
from envelope.limits import Limits

__all__ = ["TextWriter"]


class TextWriter(ABC):
    """Writes a value in pieces of text (`parts`), and raises `Unwritable` if anything is wrong with it."""

    # How surrogates are encoded: not at all, because text has none.
    surrogates = "strict"

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def write(self, root: Any) -> bytes:
        """Return the bytes of *root*'s document, no more than ``max_bytes``."""
        try:
            body = "".join(self.parts(root)).encode("utf-8", self.surrogates)
        except UnicodeEncodeError:
            raise Unwritable from None
        if len(body) > self.limits.max_bytes:
            raise Unwritable
        return body

    @abstractmethod
    def parts(self, root: Any) -> list[str]:
        """Return the document in pieces."""
