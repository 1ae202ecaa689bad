"""Flask: one line, and every answer of an app is an envelope.

Needs Flask: ``pip install 'envelope-engine[flask]'``.

    app = Flask(__name__)
    install(app, Engine())
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from envelope.adapters.extras import extra
from envelope.adapters.http_failures import asker_of, fail, refuse, written_headers
from envelope.adapters.wsgi import EnvelopeMiddleware, read_http, see_http
from envelope.calls.caller import Caller
from envelope.calls.engine import Engine
from envelope.calls.http import Rendered
from envelope.calls.request import ApiRequest
from envelope.errors import RequestError
from envelope.path import format_path
from envelope.registry.codes import MISSING_PARAM

with extra("flask"):
    from flask import Flask, Response, current_app, request
    from werkzeug.exceptions import BadRequestKeyError, HTTPException
    from werkzeug.wrappers import Response as BaseResponse

__all__ = ["current_call", "current_caller", "install"]

# Where a request keeps what was read of it: `flask.g` may outlive it.
_CALL, _CALLER, _FILES = "envelope.call", "envelope.caller", "envelope.files"


def install(app: Flask, engine: Engine) -> None:
    """Answer every call to *app* with envelopes of *engine*, in the caller's format and language.

    A view returns a payload or an `envelope.Envelope`; both may be in a tuple with a status and headers. What is a
    response of its own stays as it is: texts and bytes, iterators, responses of Flask. A `RequestError` that is raised,
    ``abort``, a missing ``request.args[…]`` and what an error handler answers become envelopes, and likewise a crash,
    even if the app is tested or debugged: it is logged, and told to ``on_error``. Middlewares around ``app.wsgi_app``
    are better put there before this, so that it is outermost.

    A ``result_type`` or ``lang`` that does not exist is refused before any view runs.
    """
    make_response = app.make_response
    # Flask logs a crash itself.
    quiet = replace(engine, on_error=engine.on_error or (lambda _: None))

    def enveloped(rv: Any) -> Response:
        first, *more = rv if isinstance(rv, tuple) and rv else (rv,)
        if not _is_response(first):
            first = _response(engine.respond(current_caller(), first))
        return make_response((first, *more) if more else first)

    def on_request_error(error: RequestError) -> Response:
        return _response(refuse(engine, asker_of(engine, see_http(request.environ, engine)), error))

    def on_http_exception(error: HTTPException) -> Response | HTTPException:
        if error.response is not None or not error.code or error.code < 400:
            return error
        if isinstance(error, BadRequestKeyError) and error.args:
            return on_request_error(RequestError("missing", code=MISSING_PARAM, path=format_path([str(error.args[0])])))
        asker = asker_of(engine, see_http(request.environ, engine))
        crash = getattr(error, "original_exception", None)
        if crash is not None:
            return _response(quiet.recover(asker, crash))
        reason = "" if error.description == type(error).description else str(error.description)
        return _response(fail(engine, asker, error.code, reason=reason), error)

    app.extensions["envelope"] = engine
    app.before_request(_check_caller)
    app.teardown_request(_close_files)
    app.register_error_handler(RequestError, on_request_error)
    app.register_error_handler(HTTPException, on_http_exception)
    # To type checkers, a method cannot be replaced, although Flask's documents say so of wsgi_app.
    vars(app).update(make_response=enveloped, wsgi_app=EnvelopeMiddleware(app.wsgi_app, engine))


def current_call() -> ApiRequest:
    """The call that is being answered, whose caller has proved who it is; `RequestError` if it is not a valid one.

    The last two parts of the path are the type and the name of its API, as at a gateway. Its files are closed once it
    is answered.
    """
    if _CALL not in request.environ:
        http = read_http(request.environ, _engine())
        request.environ[_FILES] = http.files
        request.environ[_CALL] = _engine().read(http)
    call: ApiRequest = request.environ[_CALL]
    return call


def current_caller() -> Caller:
    """The format and the language of the call that is being answered; `RequestError` if one does not exist."""
    if _CALLER not in request.environ:
        request.environ[_CALLER] = _engine().caller(see_http(request.environ, _engine()))
    caller: Caller = request.environ[_CALLER]
    return caller


def _engine() -> Engine:
    engine: Engine | None = current_app.extensions.get("envelope")
    if engine is None:
        raise RuntimeError("the app answers no envelopes: call envelope.adapters.flask.install(app, engine)")
    return engine


def _check_caller() -> None:
    current_caller()


def _close_files(_error: BaseException | None) -> None:
    for upload in request.environ.pop(_FILES, ()):
        upload.file.close()


def _is_response(rv: Any) -> bool:
    """Whether Flask makes a response of *rv* that is not JSON."""
    return isinstance(rv, str | bytes | bytearray | BaseResponse | Iterator) or callable(rv)


def _response(rendered: Rendered, error: HTTPException | None = None) -> Response:
    given = error.get_response(request.environ).headers if error is not None else ()
    return current_app.response_class(rendered.body, rendered.status, written_headers(rendered, given))
