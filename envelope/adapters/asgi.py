"""ASGI: a gateway as an application (`EnvelopeApp`), and the outermost wrapper of any other (`EnvelopeMiddleware`).

Written on the protocol itself, it needs no package but python-multipart where multipart forms are sent to an
`EnvelopeApp` (the extra ``multipart``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import closing, suppress
from dataclasses import replace
from functools import lru_cache, partial
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Final

from envelope.adapters.bodies import BodyReader, Inflater, has_parameters, longest
from envelope.adapters.http_failures import (
    MAX_FAILURE_BYTES,
    Headers,
    asker_of,
    fail,
    is_envelope,
    options_headers,
    recover,
    written_headers,
)
from envelope.adapters.multipart import MAX_FILES_BYTES, Form, TooLarge, is_multipart
from envelope.calls.engine import Asker, Engine
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
    "talk_of",
]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
"""Any application: frameworks have types of their own for what ASGI says."""

_SCOPE_KEY: Final = "envelope"  # where the wrapper leaves its `Talk`

_Headers = dict[bytes, str]
_Pairs = Iterable[tuple[bytes, bytes]]

_VERBS: Final = ("GET", "HEAD", "POST")
# What is read of a call's headers.
_READ: Final = frozenset(
    b"accept accept-language content-encoding content-length content-type expect transfer-encoding".split()
)
_ALLOW: Final = ("Allow", "GET, HEAD, POST, OPTIONS")


class _Disconnected(Exception):
    """The caller has hung up: nobody waits for an answer."""


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
            return await _send_options(send, [_ALLOW])
        headers = _headers(scope)
        http = _request(scope, headers)
        if verb not in _VERBS:
            return await _send(send, scope, fail(self._engine, asker_of(self._engine, http), 405), [_ALLOW])
        if verb == "POST" or b"content-length" in headers or b"transfer-encoding" in headers:
            # If the caller has hung up, nobody is answered.
            with suppress(_Disconnected):
                await _send(send, scope, await self._answer(http, headers, receive))
            return None
        return await _send(send, scope, await self._engine.answer_async(http, self._handler))

    async def _answer(self, http: HttpRequest[bytes], headers: _Headers, receive: Receive) -> Rendered:
        """The answer to a call that may have a body."""
        try:
            form = await self._read(headers, receive)
        except _Disconnected:
            raise
        except Exception as error:
            return recover(self._engine, asker_of(self._engine, http), error)
        try:
            return await self._engine.answer_async(_with_form(http, form), self._handler)
        finally:
            for upload in form.files:
                upload.file.close()

    async def _read(self, headers: _Headers, receive: Receive) -> Form:
        reader = BodyReader(
            content_type=headers.get(b"content-type", ""),
            content_encoding=headers.get(b"content-encoding", ""),
            content_length=headers.get(b"content-length", ""),
            limits=self._engine.request_limits,
            max_files_bytes=self._max_files_bytes,
        )
        try:
            has_more = True
            while has_more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Disconnected
                reader.feed(message.get("body", b""))
                has_more = message.get("more_body", False)
            return reader.finish()
        finally:
            reader.close()


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
        inner = dict(scope) | {_SCOPE_KEY: talk, "headers": talk.inner_headers}
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
            return await _send(send, scope, talk.engine.refuse(error))
        return await _send(send, scope, talk.engine.respond(talk.asker(), self._payload))


def talk_of(scope: Scope) -> Talk:
    """What the wrapper knows of a call; `RuntimeError` if there is no wrapper."""
    talk = scope.get(_SCOPE_KEY)
    if not isinstance(talk, Talk):
        raise RuntimeError("the application is not inside an EnvelopeMiddleware")
    return talk


class Talk:
    """One call on its way through the wrapper: what was read of its body, and what became of its answer."""

    def __init__(self, engine: Engine, scope: Scope, receive: Receive, send: Send, max_files_bytes: int) -> None:
        self.engine = engine
        self._scope = scope
        self.max_files_bytes = max_files_bytes
        self._headers = _headers(scope)
        self._receive = receive
        self._send = send
        content_type = self._headers.get(b"content-type", "")
        self._bound = longest(content_type, engine.request_limits, max_files_bytes)
        self._is_kept = has_parameters(content_type)
        self._body = bytearray()
        self._is_read = False
        self._is_gone = False
        self._inflater: Inflater | None = None
        self._fault: RequestError | None = None
        # The answer: not begun, held until it is known to be an envelope, replaced, or passed on.
        self._state = "none"
        self._held: list[Message] = []
        self._held_bytes = 0
        is_encoded = b"content-encoding" in self._headers
        self.inner_headers = [
            (name, value)
            for name, value in scope["headers"]
            if not is_encoded or name.lower() not in (b"content-encoding", b"content-length")
        ]

    def asker(self) -> Asker:
        """The format and language to answer in, from what was read so far; also for a call that names unknown ones."""
        return asker_of(self.engine, self._request())

    def check_caller(self) -> None:
        """`RequestError` if the call names a format or language that there is not."""
        self.engine.caller(self._request())

    def _request(self) -> HttpRequest[bytes]:
        return _with_form(_request(self._scope, self._headers), self._form())

    def _form(self) -> Form:
        """What was read of the body, without files."""
        body, content_type = bytes(self._body), self._headers.get(b"content-type", "")
        if not is_multipart(content_type):
            return Form(body, (), content_type)
        # Nobody may need the form, so a package that is missing is not told here; nor what is wrong with it.
        with suppress(RequestError, ImportError, OSError):
            reader = BodyReader(
                content_type=content_type, content_encoding="", content_length="", limits=self.engine.request_limits
            )
            with closing(reader):
                reader.feed(body)
                form = reader.finish()
            for upload in form.files:
                upload.file.close()
            return form._replace(files=())
        return Form(b"", ())

    def check_length(self) -> None:
        """`RequestError` if the headers alone show that the body will not be read."""
        length = self._headers.get(b"content-length", "")
        try:
            if length.isdecimal() and int(length[:20]) > self._bound:
                raise TooLarge(f"the body is longer than {self._bound} bytes")
            self._inflater = Inflater(self._headers.get(b"content-encoding", ""), self._bound)
        except RequestError as error:
            self._fault = error
            raise

    async def receive(self) -> Message:
        """What *app* receives."""
        message = await self._receive()
        if message["type"] != "http.request":
            self._is_gone = True
            return message
        try:
            return self._read(message)
        except RequestError as error:
            # An application may catch it, and answer as it likes: then this is the answer.
            self._fault = error
            raise

    def _read(self, message: Message) -> Message:
        if self._inflater is not None:
            body = self._inflater.feed(message.get("body", b""))
            if not message.get("more_body", False):
                self._inflater.finish()
            message = {**message, "body": body}
        if self._is_kept:
            self._body += message.get("body", b"")
            if len(self._body) > self.engine.request_limits.max_bytes:  # it has files, and may be long
                self._is_kept = False
                self._body.clear()
        self._is_read = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """What *app* sends."""
        if self._state in ("none", "held") and message["type"] in ("http.response.start", "http.response.body"):
            await self._weigh(message)
        elif self._state != "replaced":
            await self._send(message)

    async def _weigh(self, message: Message) -> None:
        """Decide on the answer as soon as possible."""
        if message["type"] == "http.response.start":
            if message["status"] < 400 and self._fault is None:
                self._state = "passed"
                return await self._send(message)
            self._state = "held"
            self._held = [message]
            is_unanswered = message["status"] == 405 and self._scope["method"] == "OPTIONS"
            if is_unanswered or self._fault is not None:
                await self._replace()
            return None
        self._held.append(message)
        self._held_bytes += len(message.get("body", b""))
        if self._held_bytes > MAX_FAILURE_BYTES:
            await self._replace()
        elif not message.get("more_body", False):
            if self._is_envelope():
                self._state = "passed"
                for held in self._held:
                    await self._send(held)
            else:
                await self._replace()
        return None

    def _is_envelope(self) -> bool:
        """Whether the answer that is held is one of ours."""
        start, *bodies = self._held
        body = b"".join(message.get("body", b"") for message in bodies)
        return is_envelope(self.engine, _texts(start), body, is_head=self._scope["method"] == "HEAD")

    async def _replace(self) -> None:
        """Answer with the envelope of the failure instead of what was held."""
        start = self._held[0]
        self._state = "replaced"
        if start["status"] == 405 and self._scope["method"] == "OPTIONS":
            return await _send_options(self._send, options_headers(_texts(start)))
        await self.finish_body()
        if self._fault is not None:
            rendered = recover(self.engine, self.asker(), self._fault)
        else:
            rendered = fail(self.engine, self.asker(), start["status"])
        return await _send(self._send, self._scope, rendered, _texts(start))

    async def finish_body(self) -> None:
        """Read what *app* did not of a body that may say in which format to answer."""
        has_body = b"content-length" in self._headers or b"transfer-encoding" in self._headers
        if not has_body or b"expect" in self._headers:
            return
        with suppress(RequestError):
            while self._is_kept and not (self._is_read or self._is_gone or self._fault):
                await self.receive()

    async def end(self, error: Exception | None) -> None:
        """*app* has returned, or raised *error*."""
        if self._state == "passed":
            if error is not None:
                raise error
            return
        is_fault = error is None or error is self._fault
        if self._state == "replaced":
            if not is_fault and error is not None:
                recover(self.engine, self.asker(), error)  # it is told, and answered already
            return
        if self._is_gone:
            return
        await self.finish_body()
        why = self._fault or error or RuntimeError("the application returned without an answer")
        given = _texts(self._held[0]) if self._held else []
        self._state = "replaced"
        await _send(self._send, self._scope, recover(self.engine, self.asker(), why), given)


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


def _headers(scope: Scope) -> _Headers:
    """The headers that are read, by name; of several of one name, all, as HTTP joins them."""
    headers: _Headers = {}
    for name, value in scope["headers"]:  # the names are in lower case
        if name in _READ:
            text = value.decode("latin-1")
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def _request(scope: Scope, headers: _Headers) -> HttpRequest[bytes]:
    """The call, without its body."""
    return HttpRequest(
        path=(scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0].decode("latin-1"),
        query=scope["query_string"],
        content_type=headers.get(b"content-type", ""),
        accept=headers.get(b"accept", ""),
        accept_language=headers.get(b"accept-language", ""),
    )


def _with_form(http: HttpRequest[bytes], form: Form) -> HttpRequest[bytes]:
    return replace(http, body=form.body, content_type=form.content_type, files=form.files)


async def _send(send: Send, scope: Scope, rendered: Rendered, given: Headers | None = None) -> None:
    if given:
        headers = _as_bytes(written_headers(rendered, given))
    else:
        headers = [*_own_headers(tuple(rendered.headers.items())), (b"content-length", b"%d" % len(rendered.body))]
    await send({"type": "http.response.start", "status": rendered.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else rendered.body})


@lru_cache(64)  # an engine has one for each format and language
def _own_headers(headers: tuple[tuple[str, str], ...]) -> list[tuple[bytes, bytes]]:
    return _as_bytes(headers)


async def _send_options(send: Send, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": _as_bytes(headers)})
    await send({"type": "http.response.body", "body": b""})


def _texts(start: Message) -> Headers:
    """The headers of an answer that *start* begins."""
    pairs: _Pairs = start.get("headers", ())
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]


def _as_bytes(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
