"""The gateway that tests/adapters/test_servers.py serves: accounts, signatures, and an answer that shows the call."""

from __future__ import annotations

import time
from typing import Any

from envelope.adapters.asgi import EnvelopeApp, EnvelopeMiddleware, Receive, Scope, Send
from envelope.calls.engine import Engine
from envelope.calls.request import ApiRequest
from envelope.limits import Limits

ENGINE = Engine(
    secrets={"mine": "s3cret"}.get,
    clock=time.time_ns,
    statuses="ok",
    request_limits=Limits(max_bytes=100_000),
)


def show(request: ApiRequest) -> Any:
    files = [[file.filename, file.file.read().decode()] for file in request.files]
    return {"method": request.method, "params": request.params, "args": request.args or [], "files": files}


async def half(scope: Scope, receive: Receive, send: Send) -> None:
    """Crashes after its first bytes."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise RuntimeError("crashed")


HALF = EnvelopeMiddleware(half, ENGINE)
APP = EnvelopeMiddleware(EnvelopeApp(ENGINE, show), ENGINE)
