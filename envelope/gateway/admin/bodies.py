"""A body, read before anything looks at it: small, in time, and JSON in which each name stands once."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

from envelope.adapters.asgi_wire import Disconnected
from envelope.gateway.admin.errors import Refusal

if TYPE_CHECKING:
    from envelope.adapters.asgi_wire import Receive, Scope

__all__ = ["read_body"]

_LONGEST: Final = 16 * 1024
_SECONDS: Final = 10.0


async def read_body(scope: Scope, receive: Receive) -> bytes:
    """The body of a request; `Refusal` if it is too long, too late, or not JSON. `Disconnected` if nobody waits."""
    try:
        async with asyncio.timeout(_SECONDS):
            body = await _received(receive)
    except TimeoutError:
        raise Refusal(408, f"the body took more than {_SECONDS:g} seconds") from None
    if body:
        _check_type(scope)
        _check_json(body)
    return body


async def _received(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        body += message.get("body", b"")
        if len(body) > _LONGEST:
            raise Refusal(413, f"a body has at most {_LONGEST} bytes")
        if not message.get("more_body", False):
            return bytes(body)


def _check_type(scope: Scope) -> None:
    given = [value.partition(b";")[0].strip().lower() for name, value in scope["headers"] if name == b"content-type"]
    if given != [b"application/json"]:
        raise Refusal(415, "send JSON, with Content-Type: application/json")


def _check_json(body: bytes) -> None:
    try:
        json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):  # whose text may have what was sent
        pass
    else:
        return
    raise Refusal(400, "the body is not JSON, or has a name twice")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(_: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")
