"""`Desk`: what the admin API's routes work on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from envelope.gateway.admin.errors import Refusal
from envelope.gateway.books.accounts import sealed_secrets
from envelope.gateway.vault import VaultError

if TYPE_CHECKING:
    from envelope.gateway.settings import GatewaySettings
    from envelope.gateway.stores.store import Store
    from envelope.gateway.vault import Vault
    from envelope.registry.codes import CodeRegistry

__all__ = ["Desk"]


@dataclass(frozen=True, slots=True)
class Desk:
    """The books in *store*, and what is needed to look after them."""

    settings: GatewaySettings
    store: Store
    vault: Vault
    registry: CodeRegistry

    def seal(self, secret: str) -> str:
        """*secret*, encrypted; `Refusal` if those of the accounts were by another key than this gateway has."""
        for _, _, sealed in self.store.read_now(lambda db: sealed_secrets(db, most=1)):
            try:
                self.vault.open(sealed)
            except VaultError:
                raise Refusal(409, "the accounts' secrets were encrypted by another gateway's key file") from None
        return self.vault.seal(secret)
