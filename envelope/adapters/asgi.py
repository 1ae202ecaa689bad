"""ASGI: a gateway as an application (`EnvelopeApp`), and the outermost wrapper of any other (`EnvelopeMiddleware`).

Written on the protocol itself, it needs no package but python-multipart where multipart forms are sent to an
`EnvelopeApp` (the extra ``multipart``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Final

from envelope.adapters.asgi_talk import SCOPE_KEY, Talk, note_failure, talk_of
from envelope.adapters.asgi_wire import (
    ASGIApp,
    CallHeaders,
    Disconnected,
    Message,
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
from envelope.adapters.http_failures import asker_of, fail, recover
from envelope.adapters.multipart import MAX_FILES_BYTES
from envelope.calls.engine import Engine
from envelope.calls.http import HttpRequest, Rendered
from envelope.calls.request import ApiRequest
from envelope.errors import RequestError

__all__ = [
    "ASGIApp",
    "EnvelopeAnswer",
    "EnvelopeApp",
    "EnvelopeMiddleware",
    "Message",
    "Receive",
    "Scope",
    "Send",
    "Talk",
    "note_failure",
    "talk_of",
]

_VERBS: Final = ("GET", "HEAD", "POST")
_ALLOW: Final = ("Allow", "GET, HEAD, POST, OPTIONS")


class EnvelopeApp:
    """An ASGI application that answers every call with an envelope: *handler* gets the `ApiRequest`.

    *handler* is as in `Engine.answer`. An asynchronous one runs in the event loop; any other in a thread, so that a
    slow one holds up nobody else. *engine*'s own functions (``secrets`` …) are called in the event loop. The files of a
    multipart form, together at most *max_files_bytes*, are closed after the answer.
    """

    def __init__(
        self,
        engine: Engine,
        handler: Callable[[ApiRequest], Any],
        *,
        max_files_bytes: int = MAX_FILES_BYTES,
    ) -> None:
        is_async = iscoroutinefunction(handler) or iscoroutinefunction(getattr(handler, "__call__", None))  # noqa: B004
        self._handler = partial(_in_loop if is_async else _in_thread, handler)
        self._engine = engine
        self._max_files_bytes = max_files_bytes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one call, as ASGI has it."""
        if scope["type"] == "lifespan":
            return await _lifespan(receive, send)
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return None
        verb = scope["method"]
        if verb == "OPTIONS":
            return await send_options(send, [_ALLOW])
        headers = call_headers(scope)
        http = http_request(scope, headers)
        if verb not in _VERBS:
            return await send_rendered(send, scope, fail(self._engine, asker_of(self._engine, http), 405), [_ALLOW])
        if verb == "POST" or b"content-length" in headers or b"transfer-encoding" in headers:
            # If the caller has hung up, nobody is answered.
            with suppress(Disconnected):
                await send_rendered(send, scope, await self._answer(http, headers, receive))
            return None
        return await send_rendered(send, scope, await self._engine.answer_async(http, self._handler))

    async def _answer(self, http: HttpRequest[bytes], headers: CallHeaders, receive: Receive) -> Rendered:
        """The answer to a call that may have a body."""
        try:
            form = await read_form(
                headers, receive, limits=self._engine.request_limits, max_files_bytes=self._max_files_bytes
            )
        except Disconnected:
            raise
        except Exception as error:
            return recover(self._engine, asker_of(self._engine, http), error)
        try:
            return await self._engine.answer_async(with_form(http, form), self._handler)
        finally:
            for upload in form.files:
                upload.file.close()


class EnvelopeMiddleware:
    """Wraps *app*: whatever leaves it as a failure is an envelope, in the caller's format and language.

    That is any answer with a status of 400 or more that is not an envelope yet (404, 405, 413, 422, the HTML of a
    crash), and whatever *app* raises, which is told to ``on_error``. It should be the outermost wrapper. Headers that
    do not describe the body are kept. Successes, redirects, streams, websockets and the lifespan pass untouched; if
    *app* fails after its first byte, the error is raised again, so that the server breaks the connection off.

    Bodies are decompressed and bounded on their way into *app*, as for a call (`Engine`). Format and language come from
    the query, from a JSON body or a form, else from the headers. OPTIONS is answered with ``Allow`` unless
    *app* answers it.
    """

    def __init__(self, app: ASGIApp, engine: Engine, *, max_files_bytes: int = MAX_FILES_BYTES) -> None:
        self._app = app
        self._engine = engine
        self._max_files_bytes = max_files_bytes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass one call on, as ASGI has it."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        talk = Talk(self._engine, scope, receive, send, self._max_files_bytes)
        inner = dict(scope) | {SCOPE_KEY: talk, "headers": talk.inner_headers}
        try:
            talk.check_length()
            await self._app(inner, talk.receive, talk.send)
            error: Exception | None = None
        except Exception as raised:
            error = raised
        except asyncio.CancelledError as raised:
            error = _crash(raised)
        return await talk.end(error)


class EnvelopeAnswer:
    """What a route returns inside an `EnvelopeMiddleware`: *payload*, or an `Envelope`, as the caller wants it.

    It is an ASGI application, which Starlette and Litestar take for a response. A call with an unknown ``result_type``
    or ``lang`` is refused.
    """

    def __init__(self, payload: Any) -> None:
        self._payload = payload

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002  # as ASGI has it
        """Send it."""
        talk = talk_of(scope)
        await talk.finish_body()
        try:
            talk.check_caller()
        except RequestError as error:
            return await send_rendered(send, scope, talk.engine.refuse(error))
        return await send_rendered(send, scope, talk.engine.respond(talk.asker(), self._payload))


async def _in_loop(handler: Callable[[ApiRequest], Awaitable[Any]], request: ApiRequest) -> Any:
    return await _awaited(handler(request))


async def _awaited(payload: Awaitable[Any]) -> Any:
    try:
        return await payload
    except asyncio.CancelledError as error:
        raise _crash(error) from error


async def _in_thread(handler: Callable[[ApiRequest], Any], request: ApiRequest) -> Any:
    def call() -> Any:
        try:
            return handler(request)
        except StopIteration as error:
            # No future takes one: nobody would ever be answered. Coroutines turn it into this, too.
            raise RuntimeError("the handler raised StopIteration") from error

    payload = await _awaited(asyncio.to_thread(call))
    return await _awaited(payload) if isawaitable(payload) else payload


def _crash(error: asyncio.CancelledError) -> RuntimeError:
    """What to answer where *error* came out of an application; *error* itself is raised if this call is cancelled.

    It is not if the application awaited something else that was.
    """
    task = asyncio.current_task()
    if task is None or task.cancelling():
        raise error
    return RuntimeError("something was cancelled that the application awaited")


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
