"""What an operator asked of the books, and cannot be."""

from __future__ import annotations

from envelope.errors import EnvelopeError

__all__ = ["BooksError"]


class BooksError(EnvelopeError, ValueError):
    """Something in the books is not as an operation needs it; nothing was changed if it is raised to the store."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
