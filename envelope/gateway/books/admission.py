"""Admission: a call is let in, and the most that it can cost is held, in one transaction, or it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from envelope.gateway.books.gate import Refused, is_full, is_used_up, standing_of
from envelope.gateway.books.repeats import Repeated, find_repeat, hold_repeat
from envelope.gateway.books.texts import storable
from envelope.gateway.money import MAX_AMOUNT
from envelope.registry.codes import INSUFFICIENT_BALANCE

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["Admission", "Admitted", "admit"]


@dataclass(slots=True, kw_only=True)
class Admission:
    """A call that asks to be let in.

    ``hold`` is the most that it can cost, in micro-units; ``seconds`` how long it may take before it is renewed or
    settled; ``node`` the process that makes it (`Store.node`). With an ``idempotency_key``, ``digest`` stands for its
    arguments.
    """

    account: int
    api_type: str
    api_name: str
    method: str
    model: str
    request_id: str
    hold: int
    seconds: float
    node: str
    idempotency_key: str = ""
    digest: bytes = b""
    lang: str = ""
    result_type: str = ""

    def __post_init__(self) -> None:
        if self.hold < 0 or self.seconds < 0:
            raise ValueError("neither a hold nor a time is negative")
        self.method, self.model = storable(self.method), storable(self.model)
        self.idempotency_key = storable(self.idempotency_key)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call that is open: its number, which is the ``last_id`` of its answer."""

    call: int


# Most calls are let in, and two conditions say so without a look at any row. Whatever does not meet them is looked at
# for the reason. How many calls are open can only be counted while the account's row is locked.
_LET_IN: Final = """
UPDATE account SET held = held + :hold
WHERE id = :account AND state = 'active' AND concurrency IS NULL AND balance - held >= :hold
AND NOT EXISTS (SELECT 1 FROM api WHERE name = :api_name AND state = 'maintenance')
RETURNING id
"""
_USE_ONE: Final = """
UPDATE grants SET used = used + 1
WHERE account = :account AND api_name = :api_name AND state = 'active' AND (quota IS NULL OR used < quota)
RETURNING used
"""
_LET_GO: Final = "UPDATE account SET held = held - :hold WHERE id = :account"

# The condition is what keeps a balance from being spent twice, whatever else a program forgets.
_HOLD: Final = """
UPDATE account SET held = held + :hold WHERE id = :account AND balance - held >= :hold RETURNING id
"""

_USE: Final = "UPDATE grants SET used = used + 1 WHERE account = :account AND api_name = :api_name"

_INSERT: Final = """
INSERT INTO call (request_id, account, api_type, api_name, method, model, state, hold, charge, prompt_tokens,
  completion_tokens, attempts, upstream, is_cached, lang, result_type, opened, lease, deadline, node)
VALUES (:request_id, :account, :api_type, :api_name, :method, :model, 'open', :hold, 0, 0,
  0, 0, '', FALSE, :lang, :result_type, :now, :lease, :deadline, :node)
RETURNING id
"""


def admit(db: Transaction, admission: Admission) -> Admitted | Repeated | Refused:
    """Let a call in, or say why not.

    In this order: account stopped (4007), API in maintenance (4009), no grant (4012) or a stopped one (4006), a repeat
    of an earlier call (its answer; 4003 with other arguments; 4008 while that one is open), number of calls (4013),
    calls at once (4008), balance (4016). An admitted call counts for its grant's quota until it ends uncharged. Raises
    `envelope.gateway.stores.Conflict` if the request id is known already.
    """
    if not admission.idempotency_key and is_let_in(db, admission):
        return Admitted(_insert(db, admission))
    standing = standing_of(db, admission.account, admission.api_name)
    if isinstance(standing, Refused):
        return standing
    if admission.idempotency_key:
        known = find_repeat(db, admission.account, admission.idempotency_key, admission.digest)
        if known is not None:
            return known
    refused = is_used_up(standing) or is_full(db, admission.account, standing)
    if refused is not None:
        return refused
    # More than any balance cannot be covered, and a database may have no such number.
    if admission.hold > MAX_AMOUNT or not db.execute(_HOLD, account=admission.account, hold=admission.hold):
        return Refused(INSUFFICIENT_BALANCE)
    db.execute(_USE, account=admission.account, api_name=admission.api_name)
    call = _insert(db, admission)
    if admission.idempotency_key:
        hold_repeat(db, admission.account, admission.idempotency_key, admission.digest, call)
    return Admitted(call)


def is_let_in(db: Transaction, admission: Admission) -> bool:
    """Whether a call meets all conditions, as nearly all do: then its hold is held, and it counts for the quota.

    False, and nothing changes, if it may not; the account may also have a bound on calls at once.
    """
    if admission.hold > MAX_AMOUNT:
        return False
    place = {"account": admission.account, "api_name": admission.api_name}
    if not db.execute(_LET_IN, **place, hold=admission.hold):
        return False
    if db.execute(_USE_ONE, **place):
        return True
    db.execute(_LET_GO, account=admission.account, hold=admission.hold)
    return False


def _insert(db: Transaction, admission: Admission) -> int:
    lease = round(admission.seconds * 1_000_000)
    [(call,)] = db.execute(
        _INSERT,
        request_id=admission.request_id,
        account=admission.account,
        api_type=admission.api_type,
        api_name=admission.api_name,
        method=admission.method,
        model=admission.model,
        hold=admission.hold,
        lang=admission.lang,
        result_type=admission.result_type,
        now=db.now,
        lease=lease,
        deadline=db.now + lease,
        node=admission.node,
    )
    return int(call)
