"""The gate: what an account must meet for any call, in the order in which it is told what it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from envelope.registry.codes import (
    ACCOUNT_NOT_FOUND,
    ACCOUNT_STOPPED,
    API_MAINTENANCE,
    API_NOT_ADDED,
    API_STOPPED,
    CALLS_EXCEEDED,
    RATE_LIMIT_EXCEEDED,
)

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["Refused", "Standing", "is_full", "is_used_up", "standing_of"]


@dataclass(frozen=True, slots=True)
class Refused:
    """A call that is not made, and the error code to answer with; nothing was recorded.

    ``retry_after`` is a number of seconds after which it may be made, 0 if time does not help.
    """

    code: str
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What bounds an account's calls to one API: how many at once, how many in all, how many were made.

    None is unlimited. It holds as long as the account's row is locked, which is until the transaction ends.
    """

    concurrency: int | None
    quota: int | None
    used: int


# The row is locked by writing it, in a way that every database understands: until the transaction ends, nobody else
# admits or settles a call of this account.
_LOCK: Final = "UPDATE account SET held = held WHERE id = :account RETURNING state, concurrency"

_STANDING: Final = """
SELECT api.state, grants.state, grants.quota, grants.used
FROM account
LEFT JOIN api ON api.name = :api_name
LEFT JOIN grants ON grants.account = account.id AND grants.api_name = :api_name
WHERE account.id = :account
"""

_OPEN: Final = "SELECT count(*) FROM call WHERE account = :account AND state = 'open'"


def standing_of(db: Transaction, account: int, api_name: str) -> Standing | Refused:
    """Lock the account's row and read where it stands, or what speaks against any call to this API."""
    locked = db.execute(_LOCK, account=account)
    if not locked:
        return Refused(ACCOUNT_NOT_FOUND)
    [(state, concurrency)] = locked
    if state != "active":
        return Refused(ACCOUNT_STOPPED)
    [(api, grant, quota, used)] = db.execute(_STANDING, account=account, api_name=api_name)
    if api == "maintenance":
        return Refused(API_MAINTENANCE)
    if grant is None:
        return Refused(API_NOT_ADDED)
    if grant != "active":
        return Refused(API_STOPPED)
    return Standing(concurrency, quota, used)


def is_used_up(standing: Standing) -> Refused | None:
    """Whether the number of calls is used up."""
    if standing.quota is not None and standing.used >= standing.quota:
        return Refused(CALLS_EXCEEDED)
    return None


def is_full(db: Transaction, account: int, standing: Standing) -> Refused | None:
    """Whether as many calls are open as may be at once."""
    if standing.concurrency is not None and db.execute(_OPEN, account=account)[0][0] >= standing.concurrency:
        return Refused(RATE_LIMIT_EXCEEDED, retry_after=1)
    return None
