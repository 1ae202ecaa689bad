"""Nonces of strict signatures: each is taken once, by whichever process sees it first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["remember_nonce"]

# A call's time may be 300 s in the future, and it is taken until it is 300 s in the past. The other 300 s are for
# processes whose clocks differ: this goes by the store's clock, signatures by those of the processes.
_KEPT: Final = 900_000_000

_REMEMBER: Final = """
INSERT INTO nonce (account, nonce, until) VALUES (:account, :nonce, :until)
ON CONFLICT (account, nonce) DO NOTHING RETURNING account
"""


def remember_nonce(db: Transaction, account: int, nonce: str) -> bool:
    """Whether *nonce* is new to *account*; it is not any more, for 15 minutes by the store's clock."""
    return bool(db.execute(_REMEMBER, account=account, nonce=nonce, until=db.now + _KEPT))
