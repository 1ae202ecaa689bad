"""The audit: what must hold of the books whatever happened, and each row of which it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from envelope.registry.codes import Billing

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction
    from envelope.registry.codes import CodeRegistry

__all__ = ["INVARIANTS", "Breach", "audit"]


@dataclass(frozen=True, slots=True)
class Breach:
    """A row of which an invariant does not hold: its table, its number or key, and what is wrong in words."""

    invariant: str
    table: str
    row: int | str
    text: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.table} {self.row}: {self.text}"


@dataclass(frozen=True, slots=True)
class _Invariant:
    name: str
    table: str
    text: str  # filled in with what the query returns after the row
    query: str


_QUERIES: Final = (
    _Invariant(
        "balance",
        "account",
        "the balance is {}, but deposits - charges + refunds is {}",
        """
        SELECT account.id, account.balance, CAST(coalesce(sum(moved.amount), 0) AS BIGINT) FROM account LEFT JOIN (
          SELECT account, sum(CASE WHEN kind = 'charge' THEN -amount ELSE amount END) AS amount
          FROM entry GROUP BY account
          UNION ALL SELECT account, refunds - charges FROM carried
        ) moved ON moved.account = account.id
        GROUP BY account.id, account.balance
        HAVING account.balance <> coalesce(sum(moved.amount), 0)
        """,
    ),
    _Invariant(
        "held",
        "account",
        "{} is held, but open calls hold {}",
        """
        SELECT account.id, account.held, CAST(coalesce(sum(call.hold), 0) AS BIGINT)
        FROM account LEFT JOIN call ON call.account = account.id AND call.state = 'open'
        GROUP BY account.id, account.held
        HAVING account.held <> coalesce(sum(call.hold), 0)
        """,
    ),
    _Invariant(
        "covered",
        "account",
        "the balance is {}, but {} is held",
        "SELECT id, balance, held FROM account WHERE balance < held OR held < 0",
    ),
    _Invariant(
        "charge-within-hold",
        "call",
        "the charge is {}, but the hold was {}",
        "SELECT id, charge, hold FROM call WHERE charge > hold OR charge < 0",
    ),
    _Invariant(
        "one-record",
        "call",
        "there is an earlier call with the request id {}",
        """
        SELECT id, request_id FROM call
        WHERE EXISTS (SELECT 1 FROM call other WHERE other.request_id = call.request_id AND other.id < call.id)
        """,
    ),
    _Invariant(
        "charge-entry",
        "call",
        "the charge is {}, but its entries say {}",
        """
        SELECT call.id, call.charge, CAST(coalesce(sum(entry.amount), 0) AS BIGINT)
        FROM call LEFT JOIN entry ON entry.call = call.id AND entry.kind = 'charge'
        GROUP BY call.id, call.charge
        HAVING call.charge <> coalesce(sum(entry.amount), 0)
        """,
    ),
    _Invariant(
        "refund-entry",
        "entry",
        "{} is given back, but the charge is {}",
        """
        SELECT entry.id, entry.amount, call.charge FROM entry JOIN call ON call.id = entry.call
        WHERE entry.kind = 'refund' AND entry.amount <> call.charge
        """,
    ),
    _Invariant(
        "one-entry",
        "entry",
        "there is an earlier {} of call {}",
        """
        SELECT id, kind, call FROM entry WHERE EXISTS (
          SELECT 1 FROM entry other WHERE other.call = entry.call AND other.kind = entry.kind AND other.id < entry.id)
        """,
    ),
    _Invariant(
        "one-deposit",
        "entry",
        "there is an earlier one of account {} with the reference {}",
        """
        SELECT id, account, reference FROM entry WHERE reference IS NOT NULL AND EXISTS (
          SELECT 1 FROM entry other WHERE other.reference IS NOT NULL AND other.reference = entry.reference
          AND other.account = entry.account AND other.id < entry.id)
        """,
    ),
    _Invariant(
        "entry-owner",
        "entry",
        "it is of account {} and call {}, which do not belong together",
        """
        SELECT entry.id, entry.account, coalesce(CAST(entry.call AS TEXT), '(none)') FROM entry
        LEFT JOIN call ON call.id = entry.call LEFT JOIN account ON account.id = entry.account
        WHERE account.id IS NULL OR (entry.kind <> 'deposit' AND (call.id IS NULL OR call.account <> entry.account))
        """,
    ),
    _Invariant(
        "charge-billing",
        "call",
        "{} was charged, but the billing is {}",
        "SELECT id, charge, billing FROM call WHERE charge <> 0 AND billing <> 'charged'",
    ),
    _Invariant(
        "state",
        "call",
        "it is {}, but its end says otherwise",
        """
        SELECT id, state FROM call WHERE CASE state
          WHEN 'open' THEN code IS NOT NULL OR billing IS NOT NULL OR verdict_ok IS NOT NULL OR ended IS NOT NULL
            OR charge <> 0
          WHEN 'settled' THEN code IS NULL OR billing IS NULL OR verdict_ok IS NULL OR ended IS NULL
          ELSE code IS NULL OR billing IS NULL OR billing <> 'free' OR ended IS NULL OR charge <> 0
        END
        """,
    ),
    _Invariant(
        "used",
        "grants",
        "{} calls count as used, but {} are open or charged",
        """
        SELECT CAST(grants.account AS TEXT) || ' ' || grants.api_name, grants.used,
          count(call.id) + coalesce(max(carried.calls), 0)
        FROM grants LEFT JOIN call ON call.account = grants.account AND call.api_name = grants.api_name
          AND (call.state = 'open' OR call.billing = 'charged')
        LEFT JOIN carried ON carried.account = grants.account AND carried.api_name = grants.api_name
        GROUP BY grants.account, grants.api_name, grants.used
        HAVING grants.used <> count(call.id) + coalesce(max(carried.calls), 0)
        """,
    ),
    _Invariant(
        "carried",
        "carried",
        "{} calls, of which {} was charged and {} given back, cannot be so, or there is no such grant",
        """
        SELECT CAST(account AS TEXT) || ' ' || api_name, calls, charges, refunds FROM carried
        WHERE calls < 0 OR refunds < 0 OR refunds > charges OR NOT EXISTS (
          SELECT 1 FROM grants WHERE grants.account = carried.account AND grants.api_name = carried.api_name)
        """,
    ),
    _Invariant(
        "answer-used",
        "answer",
        "neither a repeat nor the cache has it, or there is no call {}",
        """
        SELECT id, call FROM answer
        WHERE NOT EXISTS (SELECT 1 FROM call WHERE call.id = answer.call)
        OR NOT EXISTS (SELECT 1 FROM repeat WHERE repeat.answer = answer.id)
        AND NOT EXISTS (SELECT 1 FROM cached WHERE cached.answer = answer.id)
        """,
    ),
    _Invariant(
        "repeat-call",
        "repeat",
        "call {} is another account's, or it is open although there is an answer, or not open although there is none",
        """
        SELECT CAST(repeat.account AS TEXT) || ' ' || repeat.key, repeat.call FROM repeat
        LEFT JOIN call ON call.id = repeat.call LEFT JOIN answer ON answer.id = repeat.answer
        WHERE call.id IS NULL OR call.account <> repeat.account
        OR (call.state = 'open') <> (repeat.answer IS NULL) OR (answer.id IS NULL) <> (repeat.answer IS NULL)
        """,
    ),
    _Invariant(
        "cached-answer",
        "cached",
        "there is no answer {}",
        """
        SELECT scope || ' ' || key, answer FROM cached
        WHERE NOT EXISTS (SELECT 1 FROM answer WHERE answer.id = cached.answer)
        """,
    ),
    _Invariant(
        "job-call",
        "job",
        "call {} is not there, or another account's",
        """
        SELECT job.id, job.call FROM job LEFT JOIN call ON call.id = job.call
        WHERE call.id IS NULL OR call.account <> job.account
        """,
    ),
    _Invariant(
        "job-state",
        "job",
        "it is {}, but its process or its result says otherwise",
        """
        SELECT id, state FROM job
        WHERE (state = 'running' AND node = '') OR (state IN ('done', 'failed')) <> (result IS NOT NULL)
        """,
    ),
)

_BILLING: Final = "billing"

INVARIANTS: Final = (*(invariant.name for invariant in _QUERIES), _BILLING)
"""The names of all of them."""

_ENDINGS: Final = """
SELECT DISTINCT code, verdict_ok, billing FROM call
WHERE state <> 'open' AND code IS NOT NULL AND verdict_ok IS NOT NULL AND billing IS NOT NULL
"""
_ENDED: Final = """
SELECT id FROM call WHERE state <> 'open' AND code = :code AND verdict_ok = :ok AND billing = :billing ORDER BY id
"""


def audit(db: Transaction, registry: CodeRegistry | None = None) -> list[Breach]:
    """Each row that breaks one of `INVARIANTS`; an empty list if the books are right.

    With a *registry*, also whether each call that has ended is billed as its code is; one that is not ok may be free.
    """
    found = [
        Breach(invariant.name, invariant.table, row, invariant.text.format(*told))
        for invariant in _QUERIES
        for row, *told in db.execute(invariant.query)
    ]
    if registry is not None:
        found += _wrongly_billed(db, registry)
    return found


def _wrongly_billed(db: Transaction, registry: CodeRegistry) -> Iterator[Breach]:
    for code, ok, billing in db.execute(_ENDINGS):
        flag = registry[code].billing if code in registry else Billing.UNKNOWN
        if billing == flag or (billing == Billing.FREE and not ok):
            continue
        for (call,) in db.execute(_ENDED, code=code, ok=ok, billing=billing):
            yield Breach(_BILLING, "call", call, f"the billing is {billing}, but {code} is {flag}")
