"""Settling: a call ends once. Charge, release, record and stored answer are one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from envelope.gateway.books.answers import store_answer
from envelope.gateway.books.cache import CacheEntry, put_cached
from envelope.gateway.books.repeats import answer_repeat, free_repeat, has_repeat
from envelope.gateway.money import MAX_AMOUNT
from envelope.registry.codes import Billing

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["Settled", "Settlement", "close_call", "end_call", "renew", "settle"]


@dataclass(slots=True, kw_only=True)
class Settlement:
    """How an open call ended.

    ``ok`` is its verdict, ``billing`` who pays (`envelope.registry.Billing`), ``charge`` what it costs, in micro-units:
    0 unless it is charged. ``answer`` is what a repeat or the cache is to serve; it is kept only if the call is ok, for
    a repeat if the call has an idempotency key (``has_key``: False spares the look), and for others if there is a
    ``cache`` entry. With a ``request_id``, the call must have that one: a database that crashed, or that another took
    the place of, may have given a number again whose first call it lost. ``is_cached`` says that the answer came from
    the cache. Counts of tokens are bounded like amounts.
    """

    call: int
    code: str
    ok: bool
    billing: str
    charge: int
    request_id: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    attempts: int = 1
    upstream: str = ""
    answer: bytes | None = field(default=None, repr=False)
    cache: CacheEntry | None = None
    has_key: bool = True
    is_cached: bool = False

    def __post_init__(self) -> None:
        if self.charge < 0:
            raise ValueError("a charge is not negative")
        if self.charge and self.billing != Billing.CHARGED:
            raise ValueError(f"a call whose billing is {self.billing} is not charged")
        # An upstream may count whatever it likes; a database has no number beyond 64 bits.
        self.charge = min(self.charge, MAX_AMOUNT)
        self.prompt_tokens = min(max(self.prompt_tokens, 0), MAX_AMOUNT)
        self.completion_tokens = min(max(self.completion_tokens, 0), MAX_AMOUNT)


@dataclass(frozen=True, slots=True)
class Settled:
    """A call that ended: what was charged, at most its hold, and the account's balance after it, in micro-units."""

    charge: int
    balance: int


# Lock order everywhere: the call, then its account.
_SETTLE: Final = """
UPDATE call SET state = 'settled', code = :code, verdict_ok = :ok, billing = :billing,
  charge = CASE WHEN :charge < hold THEN :charge ELSE hold END, prompt_tokens = :prompt_tokens,
  completion_tokens = :completion_tokens, attempts = :attempts, upstream = :upstream, is_cached = :is_cached,
  ended = :now
WHERE id = :call AND state = 'open' AND (:request_id = '' OR request_id = :request_id)
RETURNING account, api_name, hold, charge
"""

_CLOSE: Final = """
UPDATE call SET state = 'closed', code = :code, verdict_ok = FALSE, billing = 'free', ended = :now
WHERE id = :call AND state = 'open'
RETURNING account, api_name, hold
"""

_PAY: Final = """
UPDATE account SET held = held - :hold, balance = balance - :charge WHERE id = :account RETURNING balance
"""

_ENTER: Final = """
INSERT INTO entry (account, call, kind, amount, note, at) VALUES (:account, :call, 'charge', :charge, '', :now)
"""

_UNUSE: Final = "UPDATE grants SET used = used - 1 WHERE account = :account AND api_name = :api_name"

_RENEW: Final = """
UPDATE call SET lease = :lease, deadline = :deadline WHERE id = :call AND state = 'open' RETURNING id
"""


def settle(db: Transaction, settlement: Settlement) -> Settled | None:
    """End an open call; None, and nothing changes, if it is not open any more.

    The charge is never above the hold. A call that is not charged does not count for the quota, and one that is not ok,
    or whose answer is not kept, frees its idempotency key.
    """
    settled = end_call(db, settlement)
    if settled is not None:
        _keep_answer(db, settlement)
    return settled


def end_call(db: Transaction, settlement: Settlement) -> Settled | None:
    """The same without the answer: what happens to the idempotency key is the caller's to say."""
    ended = db.execute(
        _SETTLE,
        call=settlement.call,
        request_id=settlement.request_id,
        code=settlement.code,
        ok=settlement.ok,
        billing=settlement.billing,
        charge=settlement.charge,
        prompt_tokens=settlement.prompt_tokens,
        completion_tokens=settlement.completion_tokens,
        attempts=settlement.attempts,
        upstream=settlement.upstream,
        is_cached=settlement.is_cached,
        now=db.now,
    )
    if not ended:
        return None
    [(account, api_name, hold, charge)] = ended
    [(balance,)] = db.execute(_PAY, account=account, hold=hold, charge=charge)
    if charge:
        db.execute(_ENTER, account=account, call=settlement.call, charge=charge, now=db.now)
    if settlement.billing != Billing.CHARGED:
        db.execute(_UNUSE, account=account, api_name=api_name)
    return Settled(charge, balance)


def close_call(db: Transaction, call: int, code: str) -> bool:
    """End an open call whose process cannot: free, its hold is released; False if it is not open any more."""
    ended = db.execute(_CLOSE, call=call, code=code, now=db.now)
    if not ended:
        return False
    [(account, api_name, hold)] = ended
    db.execute(_PAY, account=account, hold=hold, charge=0)
    db.execute(_UNUSE, account=account, api_name=api_name)
    free_repeat(db, call)
    return True


def renew(db: Transaction, call: int, seconds: float) -> bool:
    """Give an open call *seconds* more from now; False if it is not open any more."""
    lease = round(seconds * 1_000_000)
    return bool(db.execute(_RENEW, call=call, lease=lease, deadline=db.now + lease))


def _keep_answer(db: Transaction, settlement: Settlement) -> None:
    if not settlement.ok or settlement.answer is None:
        if settlement.has_key:
            free_repeat(db, settlement.call)
        return
    is_idempotent = settlement.has_key and has_repeat(db, settlement.call)
    if not is_idempotent and settlement.cache is None:
        return
    answer = store_answer(db, settlement.call, settlement.answer)
    if is_idempotent:
        answer_repeat(db, settlement.call, answer)
    if settlement.cache is not None:
        put_cached(db, settlement.cache, answer)
