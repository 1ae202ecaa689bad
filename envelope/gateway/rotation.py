"""Rotation: every account's secret sealed anew with the newest key, while gateways run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envelope.gateway.books.accounts import reseal_secret, sealed_secrets
from envelope.gateway.vault import Vault, VaultError

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Store, Transaction

__all__ = ["Rotated", "rotate"]


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many secrets were sealed anew, and the names of the accounts whose secret none of the keys opens."""

    count: int
    unopened: tuple[str, ...]


def rotate(store: Store, vault: Vault, seen: Callable[[int], object] = lambda _: None) -> Rotated:
    """Seal the accounts' secrets with the first key of *vault*; *seen* is told how many were looked at, batch by batch.

    It goes over all of them until it finds none that another key sealed, so that at its end only the first is needed.
    A secret that somebody changes meanwhile is left as it is, and looked at again. It can be run again at any time.
    """
    count = 0
    while True:
        found, unopened = 0, []
        after = 0
        while page := store.read_now(lambda db, after=after: sealed_secrets(db, after)):  # type: ignore[misc]
            changes = []
            for account, name, sealed in page:
                if not vault.is_newest(sealed):
                    try:
                        changes.append((account, sealed, vault.reseal(sealed)))
                    except VaultError:
                        unopened.append(name)
            if changes:
                found += len(changes)
                count += store.write_now(_steps(changes))
            after = page[-1][0]
            seen(len(page))
        if not found:
            return Rotated(count, tuple(unopened))


def _steps(changes: list[tuple[int, str, str]]) -> Callable[[Transaction], int]:
    return lambda db: sum(reseal_secret(db, *change) for change in changes)
