"""`/js/obapi.js`: the script with which pages of other sites make calls, as it is in the package."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from envelope.adapters.asgi_wire import Scope, Send

__all__ = ["SCRIPT", "send_script"]

SCRIPT: Final = "/js/obapi.js"
"""Its path."""

_READ: Final = ("GET", "HEAD")


async def send_script(_: Any, scope: Scope, send: Send) -> None:
    """Answer with the script, or that the caller has it already."""
    body, tag = _script()
    headers = [(b"etag", tag), (b"cache-control", b"public, max-age=3600")]
    has_it = any(name == b"if-none-match" and tag in value for name, value in scope["headers"])
    if scope["method"] not in _READ:
        status, body, headers = 405, b"", [(b"allow", b"GET, HEAD")]
    elif has_it:
        status, body = 304, b""
    else:
        status = 200
        headers += [
            (b"content-type", b"text/javascript; charset=utf-8"),
            (b"x-content-type-options", b"nosniff"),
        ]
    if status != 304:
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


@cache
def _script() -> tuple[bytes, bytes]:
    """The script and its entity tag."""
    body = (files(__package__) / "obapi.js").read_bytes()
    return body, b'"%s"' % hashlib.sha256(body).hexdigest()[:32].encode()
