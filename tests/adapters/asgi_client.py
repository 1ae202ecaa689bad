"""An ASGI application called as a server calls it, message by message."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from envelope.adapters.asgi import ASGIApp, Message


@dataclass
class Answer:
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    is_complete: bool = False
    received: int = 0  # how many messages the application asked for

    def header(self, name: str) -> str:
        values = [value.decode("latin-1") for key, value in self.headers if key.lower() == name.lower().encode()]
        return ", ".join(values)


def call(
    app: ASGIApp,
    method: str = "GET",
    url: str = "/",
    *,
    headers: dict[str, str] | None = None,
    body: bytes | Sequence[bytes] | None = None,
    is_cut: bool = False,
) -> Answer:
    """What *app* answers. The *body* arrives in these pieces, after which the caller hangs up if it *is_cut*."""
    return asyncio.run(call_async(app, method, url, headers=headers, body=body, is_cut=is_cut))


async def call_async(
    app: ASGIApp,
    method: str,
    url: str,
    *,
    headers: dict[str, str] | None = None,
    body: bytes | Sequence[bytes] | None = None,
    is_cut: bool = False,
) -> Answer:
    path, _, query = url.partition("?")
    pieces = [body] if isinstance(body, bytes) else list(body or [])
    sent = {name.lower(): value for name, value in (headers or {}).items()}
    if body is not None and "transfer-encoding" not in sent:
        sent.setdefault("content-length", str(sum(map(len, pieces))))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    answer = Answer()
    arriving: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": is_cut or place < len(pieces) - 1}
        for place, piece in enumerate(pieces or [b""])
    ]

    async def receive() -> Message:
        answer.received += 1
        return arriving.pop(0) if arriving else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        assert not answer.is_complete
        if message["type"] == "http.response.start":
            assert not answer.status
            answer.status, answer.headers = message["status"], [(bytes(k), bytes(v)) for k, v in message["headers"]]
        elif message["type"] == "http.response.body":
            assert answer.status
            answer.body += message.get("body", b"")
            answer.is_complete = not message.get("more_body", False)

    await app(scope, receive, send)
    return answer
