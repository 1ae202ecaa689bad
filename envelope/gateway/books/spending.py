"""Spending: what calls cost, by day and by code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["Spent", "spent_by_day"]

_DAY: Final = 86_400
_END: Final = 2**62
_SPENT: Final = """
SELECT call.opened / :day AS day, call.code, count(*), CAST(sum(call.charge) AS BIGINT),
  CAST(coalesce(sum(refund.amount), 0) AS BIGINT), CAST(sum(call.prompt_tokens) AS BIGINT),
  CAST(sum(call.completion_tokens) AS BIGINT)
FROM call LEFT JOIN entry refund ON refund.call = call.id AND refund.kind = 'refund'
WHERE call.account = :account AND call.state <> 'open' AND call.opened >= :since AND call.opened < :until
GROUP BY 1, 2 ORDER BY 1, 2
"""
_OF_ALL: Final = _SPENT.replace("call.account = :account AND ", "")


@dataclass(frozen=True, slots=True)
class Spent:
    """The calls that were opened on one day (ISO 8601, UTC) and ended with one code.

    ``charge`` is what they cost, and ``refunded`` what was given back of it, whenever that was; in micro-units.
    """

    day: str
    code: str
    calls: int
    charge: int
    refunded: int
    prompt_tokens: int
    completion_tokens: int


def spent_by_day(db: Transaction, account: int | None, *, since: int, until: int | None = None) -> list[Spent]:
    """What the calls of an account cost that have ended, and were opened from *since* up to, but without, *until*.

    None is all accounts.
    """
    when = {"day": _DAY * 1_000_000, "since": since, "until": _END if until is None else until}
    rows = db.execute(_OF_ALL, **when) if account is None else db.execute(_SPENT, account=account, **when)
    return [Spent(datetime.fromtimestamp(day * _DAY, UTC).date().isoformat(), *rest) for day, *rest in rows]
