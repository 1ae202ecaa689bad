"""FastAPI: every answer of an application is an envelope, in the format and language that the caller asks for.

`install` does it all, with the application's own OpenAPI document. `CurrentCall` and `CurrentCaller` are dependencies.
Needs the extra ``fastapi``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import fields
from http import HTTPStatus
from typing import Annotated, Any, Final, cast

from envelope.adapters.asgi import EnvelopeMiddleware, talk_of
from envelope.adapters.bodies import BodyReader
from envelope.adapters.extras import extra
from envelope.adapters.http_failures import fail, refuse
from envelope.adapters.multipart import MAX_FILES_BYTES, is_multipart
from envelope.answers.envelope import Envelope
from envelope.calls.caller import Caller
from envelope.calls.engine import Asker, Engine
from envelope.calls.http import HttpRequest, Rendered, Upload
from envelope.calls.request import ApiRequest
from envelope.errors import RequestError
from envelope.formats import get_format
from envelope.registry.codes import MISSING_PARAM, PARAM_ERROR
from envelope.registry.languages import Lang

with extra("fastapi"):
    from fastapi import Depends, FastAPI, Request
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException
    from starlette.responses import JSONResponse, Response
    from starlette.types import Receive, Scope, Send

from envelope.adapters.fastapi_openapi import describe
from envelope.path import short_path

__all__ = ["CurrentCall", "CurrentCaller", "EnvelopeResponse", "install"]

_ENVELOPE_FIELDS: Final = tuple(field.name for field in fields(Envelope))
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


class EnvelopeResponse(JSONResponse):  # of others, FastAPI documents no schema
    """The answer that carries *content*, a payload or an `Envelope`, in the caller's format and language.

    Routes have it from `install`; one that returns another `Response` (a redirect, a stream, a file) sends that.
    """

    def render(self, content: Any) -> bytes:
        """Keep *content* until it is known who asks."""
        self._content = content
        return b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, as ASGI has it."""
        talk = talk_of(scope)
        await talk.finish_body()
        rendered = talk.engine.respond(talk.asker(), _payload(self._content))
        _fill(self, rendered)
        if rendered.status != 200:
            self.status_code = rendered.status
        await super().__call__(scope, receive, send)


def install(
    app: FastAPI, engine: Engine, *, lang: Lang | str = Lang.EN, max_files_bytes: int = MAX_FILES_BYTES
) -> None:
    """Make *app* answer with envelopes. `RuntimeError` if it has routes already: install before the first.

    A route returns a payload or an `Envelope`; what it raises, and what never reaches a route, is answered by
    *engine* (`EnvelopeMiddleware`). A call with an unknown ``result_type`` or ``lang`` is refused before its route is
    run. In the OpenAPI document failures are shown in *lang*.
    """
    if any(hasattr(route, "endpoint") and hasattr(route, "dependant") for route in app.routes):
        raise RuntimeError("install(app, engine) comes before the first route")
    app.router.default_response_class = EnvelopeResponse
    app.router.dependencies.append(Depends(_check_caller))
    app.add_exception_handler(HTTPException, _http_failure)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(RequestError, _refused)

    build, document = app.build_middleware_stack, app.openapi
    # Outside of all that is added with add_middleware, even later.
    vars(app)["build_middleware_stack"] = lambda: EnvelopeMiddleware(build(), engine, max_files_bytes=max_files_bytes)
    vars(app)["openapi"] = lambda: app.openapi_schema or describe(document(), engine, Lang(lang))


async def _check_caller(request: Request) -> None:
    talk_of(request.scope).check_caller()


async def _current_caller(request: Request) -> Caller:
    asker = talk_of(request.scope).asker()
    return Caller(get_format(asker.result_type).name, Lang(asker.lang))


async def _current_call(request: Request) -> AsyncIterator[ApiRequest]:
    talk = talk_of(request.scope)
    engine = talk.engine
    headers = request.headers
    content_type = headers.get("content-type", "")
    files: tuple[Upload, ...] = ()
    if is_multipart(content_type):
        # The wrapper has bounded and decompressed it.
        reader = BodyReader(
            content_type=content_type,
            content_encoding="",
            content_length="",
            limits=engine.request_limits,
            max_files_bytes=talk.max_files_bytes,
        )
        try:
            async for piece in request.stream():
                reader.feed(piece)
            body, files, content_type = reader.finish()
        finally:
            reader.close()
    else:
        body = await request.body()
    try:
        yield engine.read(
            HttpRequest(
                path=request.scope.get("raw_path", request.url.path.encode()).decode("latin-1"),
                query=request.scope["query_string"],
                body=body,
                content_type=content_type,
                accept=headers.get("accept", ""),
                accept_language=headers.get("accept-language", ""),
                files=files,
            )
        )
    finally:
        for upload in files:
            upload.file.close()


CurrentCall = Annotated[ApiRequest, Depends(_current_call)]
"""The call of a route, as `Engine.read` reads it: ``def complete(call: CurrentCall)``. Its files are then closed."""

CurrentCaller = Annotated[Caller, Depends(_current_caller)]
"""The format and language that the caller of a route gets."""


def _payload(content: Any) -> Any:
    """What FastAPI has made plain, as the envelope that it was."""
    if isinstance(content, dict) and tuple(content) == _ENVELOPE_FIELDS:
        return Envelope(**content)
    return content


def _fill(response: Response, rendered: Rendered) -> None:
    response.body = rendered.body
    response.headers["Content-Length"] = str(len(rendered.body))
    for name, value in rendered.headers.items():
        response.headers[name] = value


def _answer(rendered: Rendered, headers: Mapping[str, str] | None = None) -> Response:
    response = Response(b"", rendered.status, headers)
    _fill(response, rendered)
    return response


def _engine_and_asker(request: Request) -> tuple[Engine, Asker]:
    talk = talk_of(request.scope)
    return talk.engine, talk.asker()


async def _http_failure(request: Request, error: Exception) -> Response:
    failure = cast(HTTPException, error)
    status = failure.status_code
    if status < 400:
        return Response(None, status, failure.headers)
    engine, asker = _engine_and_asker(request)
    detail = failure.detail if failure.detail != _PHRASES.get(status) else ""
    reason = detail if isinstance(detail, str) else ""
    return _answer(fail(engine, asker, status, reason=reason), failure.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    """A validation error as its first fault: 4014 for what is missing, else 4003, with the parameter's path."""
    engine, asker = _engine_and_asker(request)
    first = cast(RequestValidationError, error).errors()[0]
    code = MISSING_PARAM if first["type"] == "missing" else PARAM_ERROR
    # The first step says where it was sent: query, body, header. For a text that is not JSON, the next is no path.
    steps = [] if first["type"] == "json_invalid" else list(first["loc"][1:])
    return _answer(engine.refuse(RequestError("the body", code=code, path=short_path(steps)), asker))


async def _refused(request: Request, error: Exception) -> Response:
    engine, asker = _engine_and_asker(request)
    return _answer(refuse(engine, asker, cast(RequestError, error)))
