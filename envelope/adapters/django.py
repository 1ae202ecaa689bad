"""Django: a middleware that makes every failure an envelope, and decorators for views that return payloads.

Needs Django: ``pip install 'envelope-engine[django]'``. In the settings:

    MIDDLEWARE = ["envelope.adapters.django.EnvelopeMiddleware", ...]  # the first, and so the outermost
    ENVELOPE_ENGINE = "shop.api.engine"                                # where your engine is
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from typing import Any, BinaryIO, Concatenate, ParamSpec, TypeAlias, cast
from urllib.parse import quote, quote_plus

from envelope.adapters.bodies import BodyReader, has_parameters
from envelope.adapters.extras import extra
from envelope.adapters.http_failures import asker_of, fail, is_envelope, refuse, written_headers
from envelope.adapters.multipart import is_multipart
from envelope.calls.caller import Caller
from envelope.calls.engine import Asker, Engine
from envelope.calls.http import HttpRequest, Rendered, Upload
from envelope.calls.media import FORM_TYPE
from envelope.calls.request import ApiRequest
from envelope.errors import EncodeError, RequestError

with extra("django"):
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
    from django.core.signals import got_request_exception
    from django.http import HttpRequest as DjangoRequest
    from django.http import HttpResponse
    from django.http.multipartparser import MultiPartParserError
    from django.http.request import RawPostDataException, UnreadablePostError
    from django.utils.module_loading import import_string
    from django.views.decorators.csrf import csrf_exempt

__all__ = ["EnvelopeMiddleware", "api_call", "caller", "enveloped"]

P = ParamSpec("P")
_View: TypeAlias = Callable[Concatenate[DjangoRequest, P], Any]

_ENGINE, _CRASH = "envelope.engine", "envelope.crash"


class EnvelopeMiddleware:
    """Whatever leaves the project as a failure is an envelope, in the caller's format and language.

    It is the first in ``MIDDLEWARE``. The engine is where ``ENVELOPE_ENGINE`` of the settings says. Pages of Django
    (404, 405, CSRF, a suspicious request, a crash, also with ``DEBUG``) become envelopes; envelopes, successes,
    redirects and streams pass as they are. A `RequestError` that is raised anywhere is answered as what it says; of a
    crash the caller learns nothing, but Django logs it, and ``on_error`` is told.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[DjangoRequest], Any]) -> None:
        self._get_response = get_response
        self._engine = _engine_of_settings()
        # Django logs a crash itself.
        self._quiet = replace(self._engine, on_error=self._engine.on_error or (lambda _: None))
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        got_request_exception.connect(_remember_crash, dispatch_uid=__name__)

    def __call__(self, request: DjangoRequest) -> Any:
        """Answer one call."""
        request.META[_ENGINE] = self._engine
        if self._is_async:
            return self._later(request)
        return self._checked(request, self._get_response(request))

    async def _later(self, request: DjangoRequest) -> Any:
        return self._checked(request, await self._get_response(request))

    def process_exception(self, request: DjangoRequest, exception: Exception) -> HttpResponse | None:
        """Answer what a view raised, if it is about the call or the payload; all else is Django's."""
        if isinstance(exception, RequestError):
            return _response(refuse(self._engine, _asker(request, self._engine), exception))
        if isinstance(exception, EncodeError):
            return _response(self._engine.recover(_asker(request, self._engine), exception))
        return None

    def _checked(self, request: DjangoRequest, response: Any) -> Any:
        crash: Exception | None = request.META.pop(_CRASH, None)
        body = b"" if response.streaming else response.content
        if response.status_code < 400 or is_envelope(self._engine, response.items(), body):
            return response
        asker = _asker(request, self._engine)
        rendered = self._quiet.recover(asker, crash) if crash else fail(self._engine, asker, response.status_code)
        # In place, so that what Django hangs on a response stays: cookies, what is to be closed, what is logged.
        headers = written_headers(rendered, response.items())
        for name, _ in list(response.items()):
            del response[name]
        for name, value in headers:
            response[name] = value
        response.status_code = rendered.status
        if response.streaming:
            response.streaming_content = _parts_later(rendered.body) if self._is_async else iter([rendered.body])
        else:
            response.content = rendered.body
        return response


def enveloped(view: _View[P]) -> _View[P]:
    """Decorate a view, plain or asynchronous, that returns a payload or an `envelope.Envelope`.

    A format or language that does not exist is refused before the view runs. A response of Django passes as it is.
    """
    return _decorated(view, caller, is_passed=False)


def api_call(view: Callable[Concatenate[DjangoRequest, ApiRequest, P], Any]) -> _View[P]:
    """Decorate a view, plain or asynchronous, that gets the call after the request, and returns as in `enveloped`.

    The caller of the call has proved who it is. The last two parts of the path are the type and the name of its API, as
    at a gateway. Programs call it, which have no token against CSRF, so it is exempt: a cookie is no proof here.
    """
    return cast(_View[P], csrf_exempt(_decorated(view, _read, is_passed=True)))


def caller(request: DjangoRequest) -> Caller:
    """The format and the language that *request* asks for; `RequestError` if one does not exist."""
    return _engine_of(request).caller(_see_http(request, _engine_of(request)))


def _read(request: DjangoRequest) -> ApiRequest:
    engine = _engine_of(request)
    with suppress(UnreadablePostError):  # the caller has hung up: no fault of the project's
        return engine.read(_read_http(request, engine))
    raise RequestError("the body cannot be read to its end")


def _decorated(view: Callable[..., Any], read: Callable[[DjangoRequest], Asker], *, is_passed: bool) -> _View[...]:
    def answered(request: DjangoRequest, asker: Asker, result: Any) -> Any:
        is_response = hasattr(result, "status_code") and hasattr(result, "streaming")
        return result if is_response else _response(_engine_of(request).respond(asker, result))

    if iscoroutinefunction(view):

        @wraps(view)
        async def later(request: DjangoRequest, *args: Any, **kwargs: Any) -> Any:
            asker = read(request)
            given = (asker, *args) if is_passed else args
            return answered(request, asker, await view(request, *given, **kwargs))

        return later

    @wraps(view)
    def now(request: DjangoRequest, *args: Any, **kwargs: Any) -> Any:
        asker = read(request)
        given = (asker, *args) if is_passed else args
        return answered(request, asker, view(request, *given, **kwargs))

    return now


def _engine_of_settings() -> Engine:
    name = getattr(settings, "ENVELOPE_ENGINE", None)
    engine = import_string(name) if isinstance(name, str) else None
    if not isinstance(engine, Engine):
        raise ImproperlyConfigured('ENVELOPE_ENGINE names your envelope.calls.Engine: "shop.api.engine"')
    return engine


def _engine_of(request: DjangoRequest) -> Engine:
    engine: Engine | None = request.META.get(_ENGINE)
    if engine is None:
        raise ImproperlyConfigured("envelope.adapters.django.EnvelopeMiddleware is not in MIDDLEWARE")
    return engine


def _remember_crash(sender: object, request: DjangoRequest, **_: object) -> None:  # noqa: ARG001  # Django's names
    request.META[_CRASH] = sys.exc_info()[1]


def _asker(request: DjangoRequest, engine: Engine) -> Asker:
    return asker_of(engine, _see_http(request, engine))


def _see_http(request: DjangoRequest, engine: Engine) -> HttpRequest:
    """The call, with its body if that can be read: whoever wants to know what is wrong with it must read it."""
    if has_parameters(request.META.get("CONTENT_TYPE", "")):
        try:
            return _read_http(request, engine)
        except (RequestError, RawPostDataException, SuspiciousOperation, MultiPartParserError, OSError):
            pass
    return _bare(request)


def _read_http(request: DjangoRequest, engine: Engine) -> HttpRequest:
    http = _bare(request)
    content_type = http.content_type or ""
    if is_multipart(content_type):  # Django's own reader: somebody may have used it before
        return replace(
            http, body="&".join(_fields(request)).encode(), content_type=FORM_TYPE, files=tuple(_files(request))
        )
    reader = BodyReader(
        content_type=content_type,
        content_encoding=request.META.get("HTTP_CONTENT_ENCODING", ""),
        content_length=request.META.get("CONTENT_LENGTH") or "",
        limits=engine.request_limits,
    )
    reader.feed(request.body)
    return replace(http, body=reader.finish().body)


def _bare(request: DjangoRequest) -> HttpRequest[bytes]:
    # As bytes: Django keeps the query as WSGI has it, or as it decodes it for ASGI.
    query: str = request.META.get("QUERY_STRING", "")
    return HttpRequest(
        path=quote(request.path),
        query=query.encode("utf-8" if hasattr(request, "scope") else "latin-1", "replace"),
        content_type=request.META.get("CONTENT_TYPE", ""),
        accept=request.META.get("HTTP_ACCEPT", ""),
        accept_language=request.META.get("HTTP_ACCEPT_LANGUAGE", ""),
    )


def _fields(request: DjangoRequest) -> Iterator[str]:
    for name, texts in request.POST.lists():
        for text in texts:
            yield f"{quote_plus(name)}={quote_plus(str(text))}"


def _files(request: DjangoRequest) -> Iterator[Upload]:
    for name, files in request.FILES.lists():
        for file in files:
            yield Upload(
                name=name,
                filename=file.name or "",
                content_type=file.content_type or "",
                size=file.size or 0,
                file=cast(BinaryIO, file),
            )


def _response(rendered: Rendered) -> HttpResponse:
    return HttpResponse(rendered.body, status=rendered.status, headers=dict(written_headers(rendered)))


async def _parts_later(body: bytes) -> AsyncIterator[bytes]:
    yield body
