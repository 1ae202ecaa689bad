"""Refunds: what was charged for a call is given back, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envelope.gateway.books.texts import storable

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["refund"]

# The call's row is locked first, as settling does.
_CALL: Final = "UPDATE call SET charge = charge WHERE id = :call AND charge > 0 RETURNING account, charge"
_ENTER: Final = """
INSERT INTO entry (account, call, kind, amount, note, at) VALUES (:account, :call, 'refund', :amount, :note, :now)
ON CONFLICT (call, kind) DO NOTHING RETURNING id
"""
_PAY: Final = "UPDATE account SET balance = balance + :amount WHERE id = :account"


def refund(db: Transaction, call: int, note: str = "") -> int | None:
    """Give back what was charged for *call*: the micro-units; None if nothing was, or it was given back before.

    Its record keeps the charge, and it still counts for the quota.
    """
    charged = db.execute(_CALL, call=call)
    if not charged:
        return None
    [(account, amount)] = charged
    if not db.execute(_ENTER, account=account, call=call, amount=amount, note=storable(note), now=db.now):
        return None
    db.execute(_PAY, account=account, amount=amount)
    return int(amount)
