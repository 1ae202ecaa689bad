"""Retention: records of calls that are older than they are kept for go, and what they summed up to is carried on."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from envelope.registry.codes import Billing

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["remove_calls"]

# The next calls by number: up to which, and when the first of them was opened.
_PAGE: Final = """
SELECT max(id), min(opened) FROM (SELECT id, opened FROM call WHERE id > :after ORDER BY id LIMIT :most) page
"""

# The calls' rows are locked first, as settling and refunding do: a refund meanwhile waits, and then finds none.
# A call that has ended is never referred to anew, but by a refund.
_LOCK: Final = """
UPDATE call SET charge = charge WHERE id > :after AND id <= :last AND state <> 'open' AND ended < :before
AND NOT EXISTS (SELECT 1 FROM repeat WHERE repeat.call = call.id)
AND NOT EXISTS (SELECT 1 FROM answer WHERE answer.call = call.id)
AND NOT EXISTS (SELECT 1 FROM job WHERE job.call = call.id)
RETURNING id, account, api_name, billing
"""
_ENTRIES: Final = "DELETE FROM entry WHERE call = :call RETURNING kind, amount"
_CALL: Final = "DELETE FROM call WHERE id = :call"
_CARRY: Final = """
INSERT INTO carried (account, api_name, calls, charges, refunds)
VALUES (:account, :api_name, :calls, :charges, :refunds)
ON CONFLICT (account, api_name) DO UPDATE SET
  calls = carried.calls + excluded.calls, charges = carried.charges + excluded.charges,
  refunds = carried.refunds + excluded.refunds
"""


def remove_calls(db: Transaction, before: int, after: int = 0, most: int = 100) -> int | None:
    """Remove calls that ended before the time *before*, with their entries, of the *most* after the number *after*.

    The number of the last that was looked at, after which to go on; None if there are no more that could be so old.
    Those that are open stay, and those that a job, an idempotency key or a cached answer refers to. What was charged,
    what was given back and how many calls counted for the quota is carried on for each account and API.
    """
    [(last, opened)] = db.execute(_PAGE, after=after, most=most)
    if last is None or opened >= before:
        return None
    sums: defaultdict[tuple[int, str], dict[str, int]] = defaultdict(lambda: {"calls": 0, "charge": 0, "refund": 0})
    for call, account, api_name, billing in db.execute(_LOCK, after=after, last=last, before=before):
        carried = sums[account, api_name]
        carried["calls"] += billing == Billing.CHARGED
        for kind, amount in db.execute(_ENTRIES, call=call):
            carried[kind] += amount
        db.execute(_CALL, call=call)
    for (account, api_name), carried in sorted(sums.items()):
        calls, charges, refunds = carried["calls"], carried["charge"], carried["refund"]
        if calls or charges:
            db.execute(_CARRY, account=account, api_name=api_name, calls=calls, charges=charges, refunds=refunds)
    return int(last)
