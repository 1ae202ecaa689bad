"""What a store says when it cannot do what it was asked. Nothing of what was to be stored stands in an error."""

from __future__ import annotations

from envelope.errors import EnvelopeError

__all__ = ["Conflict", "StoreError", "StoreUnavailable", "StoreUncertain"]


class StoreError(EnvelopeError):
    """Root of the errors of a store; nothing of the transaction that failed was recorded, but for `StoreUncertain`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StoreUnavailable(StoreError):
    """The store cannot be reached, read or written now: it is locked, its disk is full, or its file is damaged."""


class StoreUncertain(StoreUnavailable):
    """The store did not say whether the transaction was recorded: it went away while it was being committed."""


class Conflict(StoreError):
    """A row breaks a rule of its table: a name or a request id that is there already, an amount out of range."""
