"""Which connections a client uses: its own, or those of an HTTP client that is handed in."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

from envelope.client.handed_in import AsyncHandedIn, HandedIn

if TYPE_CHECKING:
    from envelope.client.connections import AsyncConnections, Connections

__all__ = ["async_transport", "transport"]


def transport(addresses: Sequence[str], http: Any) -> tuple[HandedIn | Connections, Any]:
    """What sends requests, and what is to be closed in the end (None: what was handed in stays open).

    `ImportError` with the command that installs httpx2 if that is missing.
    """
    if http is not None:
        return HandedIn(http), None
    _check_extra()
    if getproxies():
        import httpx2

        # It knows which proxy is for which address.
        client = httpx2.Client()
        return HandedIn(client), client
    from envelope.client.connections import Connections

    connections = Connections(_ssl_context(addresses))
    return connections, connections


def async_transport(addresses: Sequence[str], http: Any) -> tuple[AsyncHandedIn | AsyncConnections, Any]:
    """The same for calls that are awaited."""
    if http is not None:
        return AsyncHandedIn(http), None
    _check_extra()
    if getproxies():
        import httpx2

        client = httpx2.AsyncClient()
        return AsyncHandedIn(client), client
    from envelope.client.connections import AsyncConnections

    connections = AsyncConnections(_ssl_context(addresses))
    return connections, connections


def _check_extra() -> None:
    if find_spec("httpx2") is None:
        raise ImportError("the client needs httpx2: pip install 'envelope-engine[client]' (or hand one in: http=)")


def _ssl_context(addresses: Sequence[str]) -> Any:
    """What httpx2 trusts; None if it is not needed, as it takes a while to make."""
    if not any(address.startswith("https:") for address in addresses):
        return None
    import httpx2

    return httpx2.create_ssl_context()
