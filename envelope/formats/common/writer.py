"""What the writers of text share: pieces in, bytes out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any, Final, TypeVar

from envelope.formats.common.conform import Unwritable
from envelope.limits import Limits

__all__ = ["MANY_PARTS", "TextWriter"]

T = TypeVar("T")

MANY_PARTS: Final = 1 << 14
"""So many pieces are packed: a short one takes several times the memory of its text."""


class TextWriter(ABC):
    """Writes a value in pieces of text (`parts`), and raises `Unwritable` if anything is wrong with it.

    ``packed`` has the document so far, but for the last pieces; it was made of ``packed_count``.
    """

    # How surrogates are encoded: not at all, because text has none.
    surrogates = "strict"

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.packed = BytesIO()
        self.packed_count = 0

    def write(self, root: Any) -> bytes:
        """Return the bytes of *root*'s document, no more than ``max_bytes``."""
        if self.packed_count:  # of a document that could not be written
            self.packed, self.packed_count = BytesIO(), 0
        try:
            body = self.encoded(self.parts(root))
        except UnicodeEncodeError:
            raise Unwritable from None
        if self.packed_count:
            self.packed.write(body)
            body = self.packed.getvalue()
        if len(body) > self.limits.max_bytes:
            raise Unwritable
        return body

    @abstractmethod
    def parts(self, root: Any) -> list[str]:
        """Return the document in pieces, or its last ones: each time there are `MANY_PARTS`, they are packed."""

    def pack(self, parts: list[str]) -> None:
        """Take the pieces out of *parts*, and keep their bytes."""
        self.packed.write(self.encoded(parts))
        self.packed_count += len(parts)
        parts.clear()

    def packing(self, entries: Iterable[T], parts: list[str]) -> Iterator[T]:
        """The *entries* of a large container; what was written of them is packed as they are taken."""
        for number, entry in enumerate(entries):
            if number % MANY_PARTS == 0:
                self.pack(parts)
            yield entry

    def encoded(self, parts: list[str]) -> bytes:
        """The bytes of pieces."""
        return "".join(parts).encode("utf-8", self.surrogates)
