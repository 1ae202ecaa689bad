"""The gateway as an ASGI application: what HTTP brings to `Gateway.answer`, and its answers to HTTP."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, Final

from envelope.adapters.asgi_wire import (
    CallHeaders,
    Disconnected,
    Receive,
    Scope,
    Send,
    call_headers,
    http_request,
    read_form,
    send_options,
    send_rendered,
    with_form,
)
from envelope.adapters.http_failures import asker_of, fail, refuse
from envelope.calls.events import event_of
from envelope.calls.http import HttpRequest, Rendered
from envelope.errors import RequestError
from envelope.gateway.admin import ADMIN
from envelope.gateway.browser.origins import preflight, readable
from envelope.gateway.compression import LEVEL, takes_gzip
from envelope.gateway.gateway import Gateway
from envelope.gateway.openai.serving import OPENAI, serve
from envelope.gateway.operation.routes import PAGES
from envelope.gateway.pages import is_page
from envelope.gateway.pages.door import answer_page
from envelope.gateway.running import Running
from envelope.gateway.streams import LiveStream, send_stream
from envelope.registry.codes import TIMEOUT

__all__ = ["GatewayApp"]

_ALLOW: Final = ("Allow", "GET, POST, OPTIONS")
_VERBS: Final = ("GET", "POST")
_SMALL: Final = 64 * 1024
_DIGITS: Final = 20  # of a length: more of them say nothing that is true
_WORTH_IT: Final = 1024

Made = Callable[[], AbstractAsyncContextManager[Running]]


class GatewayApp:
    """An ASGI application for the gateway that *made* opens at the start of its server, and closes at its end.

    ``running`` is that gateway, None before the start and after the end.
    """

    def __init__(self, made: Made) -> None:
        self._made = made
        self.running: Running | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one call, as ASGI has it."""
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return None
        running = self.running
        if running is None:
            raise RuntimeError("the server does not tell its applications when it starts: lifespan is off")
        path = scope["path"] if _is_plain(scope) else ""
        page = PAGES.get(path)
        if page is not None:
            return await page(running, scope, send)
        if path.startswith(ADMIN):
            with running.current as gateway:
                return await gateway.admin(scope, receive, send)
        if is_page(path):
            return await answer_page(running, scope, receive, send)
        if path.startswith(OPENAI):
            with running.current as gateway:
                return await serve(gateway, lambda: running.is_draining, scope, receive, send)
        origins = running.current.settings.origins
        if scope["method"] == "OPTIONS":
            return await send_options(send, [_ALLOW, *preflight(scope, origins)])
        send = readable(send, scope, origins)
        with running.current as gateway:
            return await _call(gateway, running, scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            context = self._made()
            self.running = await context.__aenter__()
        except Exception as error:
            return await send({"type": "lifespan.startup.failed", "message": str(error) or type(error).__name__})
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.running = None
        await context.__aexit__(None, None, None)
        return await send({"type": "lifespan.shutdown.complete"})


def _is_plain(scope: Scope) -> bool:
    """Whether the first segment of the path is written as it is read.

    A proxy may let nobody in but by the path as it is written; ``/%61dmin/`` would be another one there.
    """
    return b"%" not in scope.get("raw_path", b"").removeprefix(b"/").partition(b"/")[0]


async def _call(gateway: Gateway, running: Running, scope: Scope, receive: Receive, send: Send) -> None:
    headers = call_headers(scope)
    http = http_request(scope, headers)
    engine = gateway.engine_of(http.path)
    if scope["method"] not in _VERBS:
        return await send_rendered(send, scope, fail(engine, asker_of(engine, http), 405), [_ALLOW])
    try:
        answer = await _answer(gateway, http, headers, scope, receive)
        if isinstance(answer, LiveStream):
            return await send_stream(
                answer,
                receive,
                send,
                last=lambda rendered: event_of(rendered.body, b"envelope"),
                cut=lambda: gateway.cut(engine, asker_of(engine, http)) if running.is_draining else None,
            )
        rendered = answer
    except Disconnected:
        return None
    except asyncio.CancelledError:
        if not running.is_draining:
            raise
        rendered = gateway.cut(engine, asker_of(engine, http))
    return await send_rendered(send, scope, _compressed(rendered, _header(scope, b"accept-encoding")))


async def _answer(
    gateway: Gateway, http: HttpRequest[bytes], headers: CallHeaders, scope: Scope, receive: Receive
) -> Rendered | LiveStream:
    key = _header(scope, b"idempotency-key")
    if not (b"content-length" in headers or b"transfer-encoding" in headers):
        return await gateway.answer(http, key)
    engine = gateway.engine_of(http.path)
    try:
        length = headers.get(b"content-length", "")
        async with asyncio.timeout(gateway.seconds):  # for who sends his body byte by byte
            if not (length.isdecimal() and len(length) <= _DIGITS and int(length) <= _SMALL):
                await gateway.entry.check_key(http)
            form = await read_form(
                headers, receive, limits=engine.request_limits, max_files_bytes=gateway.max_files_bytes
            )
    except TimeoutError:
        gateway.refused(TIMEOUT)
        return fail(engine, asker_of(engine, http), 408)
    except RequestError as error:
        gateway.refused(error.code)
        return refuse(engine, asker_of(engine, http), error)
    except Disconnected:
        raise
    except Exception as error:
        return gateway.failed(engine, asker_of(engine, http), error)
    try:
        return await gateway.answer(with_form(http, form), key)
    finally:
        for upload in form.files:
            await asyncio.to_thread(upload.file.close)


def _header(scope: Scope, wanted: bytes) -> str:
    """The text of one header; ``""`` if it is not there."""
    for name, value in scope["headers"]:
        if name == wanted:
            text: str = value.decode("latin-1")
            return text
    return ""


def _compressed(rendered: Rendered, accepted: str) -> Rendered:
    """The same in gzip, if the caller takes that and it is long enough to gain."""
    if len(rendered.body) < _WORTH_IT or not takes_gzip(accepted):
        return rendered
    headers = {**rendered.headers, "Content-Encoding": "gzip"}
    headers["Vary"] = f"{headers['Vary']}, Accept-Encoding"
    return replace(rendered, headers=headers, body=gzip.compress(rendered.body, LEVEL, mtime=0))
