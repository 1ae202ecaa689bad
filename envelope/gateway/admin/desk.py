"""`Desk`: what the admin API's routes work on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
