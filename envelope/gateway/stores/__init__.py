"""Stores: where the gateway's books are kept, and how what is written to them survives.

`open_store` opens one, and makes or migrates it first; `Store` is what every store promises.
"""

from typing import TYPE_CHECKING

from envelope.lazy import door

if TYPE_CHECKING:
    from envelope.gateway.stores.errors import Conflict as Conflict
    from envelope.gateway.stores.errors import StoreError as StoreError
    from envelope.gateway.stores.errors import StoreUnavailable as StoreUnavailable
    from envelope.gateway.stores.errors import StoreUncertain as StoreUncertain
    from envelope.gateway.stores.opening import open_store as open_store
    from envelope.gateway.stores.store import Store as Store
    from envelope.gateway.stores.store import Transaction as Transaction
else:
    __getattr__, __dir__, __all__ = door(
        __name__,
        {
            "errors": "Conflict StoreError StoreUnavailable StoreUncertain",
            "opening": "open_store",
            "store": "Store Transaction",
        },
    )
