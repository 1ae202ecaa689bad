"""What the formats that are written as text share: pieces in, bytes out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from envelope.domain import Unwritable
from envelope.limits import Limits

__all__ = ["PhpWriter", "TextWriter"]


class TextWriter(ABC):
    """Writes a value in pieces of text (`parts`), and raises `Unwritable` where anything is wrong with it."""

    # How surrogates are encoded: not at all, for text has none.
    surrogates = "strict"

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def write(self, root: Any) -> bytes:
        """The bytes of *root*'s document, no more than ``max_bytes``."""
        try:
            body = "".join(self.parts(root)).encode("utf-8", self.surrogates)
        except UnicodeEncodeError:
            raise Unwritable from None
        if len(body) > self.limits.max_bytes:
            raise Unwritable
        return body

    @abstractmethod
    def parts(self, root: Any) -> list[str]:
        """The document in pieces."""


class PhpWriter(TextWriter):
    """A writer of PHP's formats; in PHP's domain, bytes that are no text go through the pieces as surrogates.

    Text has none left by then: each writer encodes what is not ASCII as it comes, which refuses them.
    """

    def __init__(self, limits: Limits, *, php: bool, map_objects: bool) -> None:
        super().__init__(limits)
        self.php = php
        self.map_objects = map_objects
        if php:
            self.surrogates = "surrogateescape"
