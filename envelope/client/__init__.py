"""A gateway's callers: typed calls over HTTP, with fail-over, retries within one deadline, and a cache.

`GatewayClient` blocks and `AsyncGatewayClient` is awaited; both run the same decisions (`plan`, `conversation`), which
do no I/O. The HTTP client is httpx2, which the extra ``client`` installs, or one of httpx or httpx2 that is handed in.
"""

from typing import TYPE_CHECKING

from envelope.lazy import door

if TYPE_CHECKING:
    from envelope.client.answer import Answer as Answer
    from envelope.client.asynchronous import AsyncGatewayClient as AsyncGatewayClient
    from envelope.client.cache import Cache as Cache
    from envelope.client.cache import MemoryCache as MemoryCache
    from envelope.client.cache import PhpCacheFolder as PhpCacheFolder
    from envelope.client.cache import SqliteCache as SqliteCache
    from envelope.client.cache import Stored as Stored
    from envelope.client.errors import CallFailed as CallFailed
    from envelope.client.events import AttemptEvent as AttemptEvent
    from envelope.client.sync import GatewayClient as GatewayClient
else:
    __getattr__, __dir__, __all__ = door(
        __name__,
        {
            "answer": "Answer",
            "asynchronous": "AsyncGatewayClient",
            "cache": "Cache MemoryCache PhpCacheFolder SqliteCache Stored",
            "errors": "CallFailed",
            "events": "AttemptEvent",
            "sync": "GatewayClient",
        },
    )
