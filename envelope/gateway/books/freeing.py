"""Freeing: a call whose caller was told that it failed costs nothing, whatever the books say of it by now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envelope.gateway.books.refunds import refund
from envelope.gateway.books.settling import close_call
from envelope.registry.codes import SERVER_ERROR

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["free_call"]

# Whoever settles it meanwhile is waited for.
_LOCK: Final = "UPDATE call SET charge = charge WHERE request_id = :request_id RETURNING id"


def free_call(db: Transaction, request_id: str, note: str = "") -> bool:
    """Close a call as 4000 if it is open, and give back what it cost if it has ended; False if there is none.

    *note* is that of the refund. A call that was given back already stays as it is.
    """
    found = db.execute(_LOCK, request_id=request_id)
    if not found:
        return False
    [(call,)] = found
    if not close_call(db, call, SERVER_ERROR):
        refund(db, call, note)
    return True
