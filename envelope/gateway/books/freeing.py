"""Freeing: a call whose caller was told that it failed costs nothing, whatever the books say of it by now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envelope.gateway.books.refunds import refund
from envelope.gateway.books.repeats import free_unless_given
from envelope.gateway.books.settling import close_call
from envelope.registry.codes import SERVER_ERROR

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["free_call"]

# Whoever settles it meanwhile is waited for, and so is whoever asks for its answer under its idempotency key.
_LOCK: Final = "UPDATE call SET charge = charge WHERE request_id = :request_id RETURNING id, account"
_LOCK_ACCOUNT: Final = "UPDATE account SET held = held WHERE id = :account"


def free_call(db: Transaction, request_id: str, note: str = "") -> bool:
    """Close a call as 4000 if it is open, and give back what it cost if it has ended; False if there is none.

    *note* is that of the refund. A call that was given back already stays as it is, and so does one whose answer its
    caller got after all, by a repeat under its idempotency key; from here on, there is none to be got.
    """
    found = db.execute(_LOCK, request_id=request_id)
    if not found:
        return False
    [(call, account)] = found
    db.execute(_LOCK_ACCOUNT, account=account)
    if not close_call(db, call, SERVER_ERROR) and free_unless_given(db, call):
        refund(db, call, note)
    return True
