"""WSGI (PEP 3333): a gateway as an app, and any app with every failure as an envelope.

`EnvelopeApp` is a whole app of one `envelope.calls.Engine` and a handler. `EnvelopeMiddleware` goes around an app of
any framework, outside of everything else: what leaves it as a failure (a 404 of its router, a crash in one of its
middlewares, a page in HTML) becomes an envelope in the caller's format and language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from envelope.adapters.bodies import BodyReader, has_parameters
from envelope.adapters.http_failures import (
    asker_of,
    fail,
    is_envelope,
    options_headers,
    recover,
    written_headers,
)
from envelope.adapters.multipart import MAX_FILES_BYTES
from envelope.adapters.wsgi_input import WsgiInput
from envelope.adapters.wsgi_passage import Passage
from envelope.calls.engine import Asker, Engine
from envelope.calls.http import HttpRequest, Rendered
from envelope.calls.request import ApiRequest
from envelope.errors import RequestError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["EnvelopeApp", "EnvelopeMiddleware", "read_http", "see_http", "send"]

_ALLOWED: Final = "GET, HEAD, POST, OPTIONS"
_INPUT: Final = "envelope.input"


class EnvelopeApp:
    """A gateway as a WSGI app: every call is read, given to *handler*, and answered by *engine*.

    *handler* is as in `Engine.answer`. A body is read up to the engine's ``request_limits``, the files of a multipart
    form (`ApiRequest.files`) up to *max_files_bytes* together; they are closed once the call is answered.
    """

    def __init__(
        self, engine: Engine, handler: Callable[[ApiRequest], Any], *, max_files_bytes: int = MAX_FILES_BYTES
    ) -> None:
        self._engine = engine
        self._handler = handler
        self._max_files_bytes = max_files_bytes

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one call."""
        verb = environ["REQUEST_METHOD"]
        if verb == "OPTIONS":
            start_response("204 No Content", [("Allow", _ALLOWED)])
            return []
        if verb not in ("GET", "HEAD", "POST"):
            rendered = fail(self._engine, asker_of(self._engine, _bare(environ)), 405)
            return send(rendered, verb, start_response, [("Allow", _ALLOWED)])
        return send(self._answer(environ), verb, start_response)

    def _answer(self, environ: WSGIEnvironment) -> Rendered:
        engine = self._engine
        try:
            http = read_http(environ, engine, max_files_bytes=self._max_files_bytes)
        except Exception as error:  # it cannot be read, or a package is missing
            return recover(engine, asker_of(engine, _bare(environ)), error)
        try:
            return engine.answer(http, self._handler)
        finally:
            for upload in http.files:
                upload.file.close()


class EnvelopeMiddleware:
    """*app*, with every failure as an envelope of *engine*, in the caller's format and language.

    It is meant to be outermost. What *app* answers with a status of 400 or more, and what it raises before the first
    byte is sent, become envelopes, with the headers that matter (``Allow``, ``Retry-After``, cookies, CORS). Envelopes
    pass as they are, and so do successes, redirects, streams and files. What is raised later goes on to the server,
    which closes the connection, so that nobody takes a part for the whole. OPTIONS, where *app* knows nothing of it, is
    answered with what it allows.
    """

    def __init__(self, app: WSGIApplication, engine: Engine) -> None:
        self._app = app
        self._engine = engine

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one call."""
        verb = environ["REQUEST_METHOD"]
        body = WsgiInput(environ, remembered=self._engine.request_limits.max_bytes)
        environ["wsgi.input"] = environ[_INPUT] = body
        own = dict(environ)  # the app, and what is around it, may change theirs
        passage = Passage(environ, start_response)
        try:
            result = self._app(environ, passage.start)
            if (answer := passage.of(result, lambda body: self._is_envelope(passage, body, verb))) is not None:
                return answer
            if verb == "OPTIONS" and passage.code == 405:
                start_response("204 No Content", options_headers(passage.headers))
                return []
            rendered, given = fail(self._engine, self._asker(own), passage.code), passage.headers
        except Exception as error:
            if passage.has_begun:
                raise
            rendered, given = recover(self._engine, self._asker(own), error), []
        return send(rendered, verb, start_response, given)

    def _asker(self, environ: WSGIEnvironment) -> Asker:
        return asker_of(self._engine, see_http(environ, self._engine))

    def _is_envelope(self, passage: Passage, body: bytes, verb: str) -> bool:
        return is_envelope(self._engine, passage.headers, body, is_head=verb == "HEAD")


def read_http(environ: WSGIEnvironment, engine: Engine, *, max_files_bytes: int = MAX_FILES_BYTES) -> HttpRequest:
    """The call in *environ*, with its whole body, even if inside an `EnvelopeMiddleware` somebody has read it before.

    Whoever calls this closes the files of its ``files``. `RequestError` for a body that is too long, or that cannot be
    read.
    """
    body = environ.get(_INPUT) or WsgiInput(environ)
    return _read(environ, body.replay(), body.length or 0, engine, max_files_bytes)


def see_http(environ: WSGIEnvironment, engine: Engine) -> HttpRequest:
    """The call in *environ* without its files; inside an `EnvelopeMiddleware` with its body, if that can be read.

    That is enough to know who is answered (`Engine.caller`), and whoever comes next can still read the body.
    """
    http = _bare(environ)
    body: WsgiInput | None = environ.get(_INPUT)
    if body is not None and has_parameters(http.content_type or ""):
        # Nobody may need the form, so a package that is missing is not told here.
        with suppress(RequestError, ImportError, OSError):
            http = _read(environ, [body.show() or b""], 0, engine, MAX_FILES_BYTES)
            for upload in http.files:
                upload.file.close()
    return replace(http, files=())


def send(
    rendered: Rendered,
    verb: str,
    start_response: StartResponse,
    given: Iterable[tuple[str, str]] = (),
) -> list[bytes]:
    """Start *rendered* as the answer, with what matters of the headers *given*; returns the body that *verb* gets."""
    try:
        phrase = HTTPStatus(rendered.status).phrase
    except ValueError:  # of a server's own
        phrase = "Failure"
    start_response(f"{rendered.status} {phrase}", written_headers(rendered, given))
    return [] if verb == "HEAD" else [rendered.body]


def _bare(environ: WSGIEnvironment) -> HttpRequest[bytes]:
    """The call in *environ* without its body."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return HttpRequest(
        path=quote(path.encode("latin-1", "replace")),
        query=environ.get("QUERY_STRING", "").encode("latin-1", "replace"),
        content_type=environ.get("CONTENT_TYPE", ""),
        accept=environ.get("HTTP_ACCEPT", ""),
        accept_language=environ.get("HTTP_ACCEPT_LANGUAGE", ""),
    )


def _read(
    environ: WSGIEnvironment, chunks: Iterable[bytes], length: int, engine: Engine, max_files_bytes: int
) -> HttpRequest[bytes]:
    reader = BodyReader(
        content_type=environ.get("CONTENT_TYPE", ""),
        content_encoding=environ.get("HTTP_CONTENT_ENCODING", ""),
        content_length=str(length),
        limits=engine.request_limits,
        max_files_bytes=max_files_bytes,
    )
    http, is_empty = _bare(environ), True
    with closing(reader):
        for chunk in filter(None, chunks):
            is_empty = False
            reader.feed(chunk)
        if is_empty:
            return http
        form = reader.finish()
    return replace(http, body=form.body, content_type=form.content_type, files=form.files)
