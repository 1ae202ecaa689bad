"""Cross-origin rules: which sites' pages may read the answers to their calls. Only calls ask here.

No answer allows credentials: a call proves by its parameters who makes it, never by a cookie. ``Authorization`` is not
among the headers that a page may send either, for what it would hold is a secret.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from envelope.adapters.asgi_wire import Message, Scope, Send

__all__ = ["check_origin", "preflight", "readable"]

# As browsers write it: in lower case, without the scheme's own port, an international name in its ASCII form.
_ORIGIN: Final = re.compile(r"https?://(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::([1-9][0-9]{0,4}))?")
_OWN_PORTS: Final = ("http://", "80"), ("https://", "443")
_VARY: Final = (b"vary", b"Origin")
_EXPOSED: Final = (b"access-control-expose-headers", b"Retry-After")
_PREFLIGHT: Final = [
    ("Access-Control-Allow-Methods", "GET, POST"),
    ("Access-Control-Allow-Headers", "Content-Type, Idempotency-Key"),
    ("Access-Control-Max-Age", "7200"),  # the longest that Chromium keeps it
]


def check_origin(text: str) -> str:
    """The same; `ValueError` if no browser would send it as an ``Origin``."""
    match = _ORIGIN.fullmatch(text)
    if match is None or any(text.startswith(scheme) and match[1] == port for scheme, port in _OWN_PORTS):
        raise ValueError(
            'an origin is a scheme, a host and perhaps a port, as browsers send it: "https://shop.example"'
        )
    return text


def preflight(scope: Scope, origins: Sequence[str]) -> list[tuple[str, str]]:
    """The headers of the answer to OPTIONS that say what a page of the call's origin may send."""
    if not origins:
        return []
    vary = ("Vary", "Origin")
    origin = _origin(scope)
    return [vary, ("Access-Control-Allow-Origin", origin), *_PREFLIGHT] if origin in origins else [vary]


def readable(send: Send, scope: Scope, origins: Sequence[str]) -> Send:
    """*send*, by which an answer also says whether a page of the call's origin may read it."""
    if not origins:
        return send
    told = [_VARY]
    if (origin := _origin(scope)) in origins:
        told += [(b"access-control-allow-origin", origin.encode()), _EXPOSED]

    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *told]}
        await send(message)

    return tell


def _origin(scope: Scope) -> str:
    """The origin of the page that calls; ``""`` if no page does."""
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), "")
