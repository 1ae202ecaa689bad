"""Calls: found, and what they cost given back."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query

from envelope.gateway.admin.errors import Refusal
from envelope.gateway.admin.fields import Admin, CallsQuery, Refund
from envelope.gateway.admin.shown import CallShown, CallsShown, RefundShown
from envelope.gateway.books.calls import find_calls
from envelope.gateway.books.refunds import refund
from envelope.gateway.money import shown_amount
from envelope.gateway.stores.store import Transaction

__all__ = ["router"]

router: Final = APIRouter(tags=["calls"])

_IS_THERE: Final = "SELECT 1 FROM call WHERE id = :call"


@router.get("/calls")
def search_calls(admin: Admin, query: Annotated[CallsQuery, Query()]) -> CallsShown:
    """A page of the newest calls of which all that is given holds."""
    asked = query.model_dump(exclude={"limit"})
    found = admin.store.read_now(lambda db: find_calls(db, **asked, limit=query.limit + 1))
    page = found[: query.limit]
    return CallsShown(calls=[CallShown.of(call) for call in page], next=page[-1].id if len(found) > len(page) else None)


@router.post("/refunds")
def make_refund(admin: Admin, body: Refund) -> RefundShown:
    """Give back what was charged for a call, once."""
    call = int(body.last_id)

    def steps(db: Transaction) -> int:
        amount = refund(db, call, body.note)
        if amount is not None:
            return amount
        if not db.execute(_IS_THERE, call=call):
            raise Refusal(404, "there is no such call", "$.last_id")
        raise Refusal(409, "nothing was charged for it, or it was given back before", "$.last_id")

    amount = admin.store.write_now(steps)
    return RefundShown(call=call, refunded=shown_amount(amount), refunded_micro=amount)
