"""The pages for whoever watches a gateway: `/health`, `/ready` and `/metrics`, each a path of one segment, and the
script for pages of other sites.

An API's path has two. None of these is a call: none is logged, counted or charged.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

import orjson

from envelope.gateway.browser.script import SCRIPT, send_script
from envelope.gateway.operation.exposition import CONTENT_TYPE, exposition, is_allowed

if TYPE_CHECKING:
    from envelope.adapters.asgi_wire import Scope, Send
    from envelope.gateway.running import Running

__all__ = ["PAGES", "Page"]

Page = Callable[["Running", "Scope", "Send"], Awaitable[None]]

_JSON: Final = "application/json"
_CLOSED: Final = b'{"error":"there are no metrics here: admin_token in gateway.toml opens them"}'
_ALLOW: Final = (b"allow", b"GET, HEAD")


async def _health(_: Running, scope: Scope, send: Send) -> None:
    """200: the process serves."""
    await _answer(scope, send, 200, b'{"serving":true}')


async def _ready(running: Running, scope: Scope, send: Send) -> None:
    """200 if calls may be sent here, else 503; the body says what is missing."""
    generation = running.current
    told = {
        "store": await running.glances.look(generation.log) is not None,
        "upstreams": generation.upstreams.is_any_awake(),
        "draining": running.is_draining,
    }
    is_ready = told["store"] and told["upstreams"] and not told["draining"]
    await _answer(scope, send, 200 if is_ready else 503, orjson.dumps({"ready": is_ready, **told}))


async def _metrics(running: Running, scope: Scope, send: Send) -> None:
    """The metrics; 404 if nobody may see them, 401 for whoever has not the token."""
    authorization = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    allowed = is_allowed(running.current.settings, authorization)
    if allowed:
        return await _answer(scope, send, 200, await exposition(running), CONTENT_TYPE)
    if allowed is None:
        return await _answer(scope, send, 404, _CLOSED)
    challenge = (b"www-authenticate", b"Bearer")
    return await _answer(scope, send, 401, b'{"error":"the admin token is wanted"}', _JSON, challenge)


async def _answer(
    scope: Scope, send: Send, status: int, body: bytes, content_type: str = _JSON, *headers: tuple[bytes, bytes]
) -> None:
    if scope["method"] not in ("GET", "HEAD"):
        status, body, content_type, headers = 405, b'{"error":"GET or HEAD is wanted"}', _JSON, (_ALLOW,)
    told = [
        (b"content-type", content_type.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


PAGES: Final[Mapping[str, Page]] = {"/health": _health, "/ready": _ready, "/metrics": _metrics, SCRIPT: send_script}
