"""`/v1/*` as ASGI: what HTTP brings to the gateway from a client of OpenAI, and its answers."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from envelope.adapters.asgi_wire import Disconnected, call_headers, read_form, send_options, send_rendered
from envelope.adapters.multipart import Form, TooLarge
from envelope.calls.caller import DEFAULT_CALLER
from envelope.calls.events import DONE, event_of
from envelope.errors import RequestError
from envelope.gateway.openai.face import REQUEST_ID
from envelope.gateway.openai.reading import authenticate, read_request
from envelope.gateway.streams import LiveStream, send_stream
from envelope.registry.codes import API_NOT_FOUND, PARAM_ERROR, TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from envelope.adapters.asgi_wire import Receive, Scope, Send
    from envelope.calls.http import Rendered
    from envelope.gateway.gateway import Gateway

__all__ = ["OPENAI", "serve"]

OPENAI: Final = "/v1/"
"""How its paths begin."""

_ALLOW: Final = ("Allow", "GET, POST, OPTIONS")


async def serve(gateway: Gateway, is_draining: Callable[[], bool], scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one call; if it is cut while the process ends, too."""
    face = gateway.openai
    if scope["method"] == "OPTIONS":
        return await send_options(send, [_ALLOW])
    if scope["method"] not in ("GET", "POST"):
        refused = face.fail(DEFAULT_CALLER, API_NOT_FOUND, status=405, about="GET or POST is wanted")
        return await send_rendered(send, scope, replace(refused, headers={**refused.headers, _ALLOW[0]: _ALLOW[1]}))
    try:
        answer = await _answer(gateway, scope, receive)
        if isinstance(answer, LiveStream):
            return await send_stream(
                answer,
                receive,
                send,
                last=_last,
                cut=lambda: gateway.cut(face, DEFAULT_CALLER) if is_draining() else None,
                headers=((REQUEST_ID.encode(), answer.request_id.encode()),),
            )
    except Disconnected:
        return None
    except asyncio.CancelledError:
        if not is_draining():
            raise
        answer = gateway.cut(face, DEFAULT_CALLER)
    return await send_rendered(send, scope, answer)


async def _answer(gateway: Gateway, scope: Scope, receive: Receive) -> Rendered | LiveStream:
    began = time.monotonic()
    face, api, limits = gateway.openai, gateway.openai_api, gateway.engine.request_limits
    named = {name: value.decode("latin-1") for name, value in scope["headers"]}
    form: Form | None = None
    try:
        known = await authenticate(gateway.entry, named.get(b"authorization", ""), api)
        if b"content-length" in named or b"transfer-encoding" in named:
            async with asyncio.timeout(gateway.seconds):
                form = await read_form(
                    call_headers(scope), receive, limits=limits, max_files_bytes=gateway.max_files_bytes
                )
        if form is not None and scope["method"] == "GET" and not form.body:
            form = None
        entered = read_request(scope, form, known, api, limits)
    except TimeoutError:
        gateway.refused(TIMEOUT)
        return face.fail(DEFAULT_CALLER, TIMEOUT, status=408)
    except TooLarge as error:
        gateway.refused(error.code)
        return face.fail(DEFAULT_CALLER, PARAM_ERROR, status=413, about=error.reason)
    except RequestError as error:
        gateway.refused(error.code)
        return face.refuse(error, DEFAULT_CALLER)
    except Disconnected:
        raise
    except Exception as error:
        return gateway.failed(face, DEFAULT_CALLER, error)
    try:
        return await gateway.answer_entered(face, entered, named.get(b"idempotency-key", ""), began)
    finally:
        for upload in form.files if form is not None else ():
            await asyncio.to_thread(upload.file.close)


def _last(rendered: Rendered) -> bytes:
    """The end of a stream: an error without ``[DONE]`` after it, or that."""
    return event_of(rendered.body if rendered.status >= 400 else DONE)
