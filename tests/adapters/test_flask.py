"""Flask: every answer of an app is an envelope, but those that are responses of their own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("flask", reason="Flask is not installed (pip install 'envelope-engine[flask]')")

from flask import Blueprint, Flask, Response, abort, jsonify, redirect, request, send_file
from werkzeug.exceptions import HTTPException, ServiceUnavailable, TooManyRequests, Unauthorized
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import TestResponse

from envelope import Envelope, Lang, RequestError, ResultType
from envelope.adapters.flask import current_call, current_caller, install
from envelope.calls.engine import Engine
from envelope.registry.codes import REGISTRY
from tests.adapters.curl import CARRIERS, carried, curl, requires_curl, running
from tests.adapters.failures import CALLERS, IDS, check_failure, query_of

TOLD: list[Exception] = []
ENGINE = Engine(on_error=TOLD.append)


@dataclass
class Point:
    x: int


def make_app(engine: Engine = ENGINE, *, outside: Any = None, **config: Any) -> Flask:
    app = Flask("tests.adapters")
    app.config.update(config)
    shop = Blueprint("shop", __name__, url_prefix="/shop")

    @shop.get("/item/<int:number>")
    def item(number: int) -> Any:
        return {"id": number}

    @shop.get("/refused")
    def refused() -> Any:
        raise RequestError("no such model", code="4010", path="$.model")

    @app.get("/payload/<name>")
    def payload(name: str) -> Any:
        return PAYLOADS[name]

    @app.route("/openai/custom/", methods=["GET", "POST"])
    def custom() -> Any:
        call = current_call()
        assert current_call() is call
        files = [[file.name, file.filename, file.file.read().decode("latin-1")] for file in call.files]
        return {"q": call.params["q"], "lang": current_caller().lang, "files": files}

    @app.get("/crash")
    def crash() -> Any:
        raise KeyError("swordfish")

    @app.get("/unwritable")
    def unwritable() -> Any:
        return [object]

    @app.get("/missing")
    def missing() -> Any:
        return request.args["n"]

    @app.get("/abort/<int:status>")
    def aborted(status: int) -> Any:
        return abort(status)

    @app.get("/own/<name>")
    def own(name: str) -> Any:
        result = OWN[name]
        if isinstance(result, HTTPException):
            raise result
        return result() if callable(result) else result

    app.register_blueprint(shop)
    if outside is not None:
        vars(app)["wsgi_app"] = outside(app.wsgi_app)
    install(app, engine)
    return app


PAYLOADS: dict[str, Any] = {
    "map": {"a": 1},
    "list": [1, 2],
    "nothing": None,
    "number": 7,
    "dataclass": Point(1),
    "envelope": Envelope.ok({"a": 1}),
    "with a status": ({"a": 1}, 201),
    "with headers": ({"a": 1}, {"X-Own": "1"}),
    "with both": (Envelope.ok([1]), 202, {"X-Own": "1"}),
}


@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("caller", CALLERS, ids=IDS)
def test_a_view_returns_a_payload_or_an_envelope(name: str, caller: tuple[ResultType, Lang]) -> None:
    answer = make_app().test_client().get(f"/payload/{name}?{query_of(caller)}")
    given = PAYLOADS[name]
    first, *more = given if isinstance(given, tuple) else (given,)
    assert answer.status_code == (more[0] if more and isinstance(more[0], int) else 200)
    assert answer.headers.get("X-Own") == ("1" if more and isinstance(more[-1], dict) else None)
    parsed = ENGINE.parse(answer.data, answer.headers["Content-Type"])
    expected = first.response if isinstance(first, Envelope) else {"x": 1} if name == "dataclass" else first
    assert (parsed.response, parsed.error_code) == (expected, "0000")


def test_views_of_a_blueprint_too() -> None:
    answer = make_app().test_client().get("/shop/item/7?result_type=serialize")
    assert ENGINE.parse(answer.data, answer.headers["Content-Type"]).response == {"id": 7}


def stream() -> Iterator[str]:
    yield "a"
    yield "b"


class NotModified(HTTPException):
    code = 304


OWN: dict[str, Any] = {
    "page": "<h1>Welcome</h1>",
    "bytes": b"raw",
    "stream": stream,
    "json": lambda: jsonify({"a": 1}),
    "file": lambda: send_file(BytesIO(b"file"), "image/png"),
    "redirect": lambda: redirect("/elsewhere"),
    "created": lambda: Response("made", 201),
    "not modified": NotModified(),
    "response": lambda: abort(Response("my own", 202)),
    # Failures.
    "teapot": ("<h1>Oh</h1>", 418),
    "json failure": lambda: (jsonify({"detail": "oh"}), 422),
    "map as a failure": ({"detail": "oh"}, 404),
    "response failure": lambda: abort(Response("my own", 403)),
    "nobody": Unauthorized("no seat", www_authenticate=None),
    "later": ServiceUnavailable(retry_after=7),
    "too often": TooManyRequests(retry_after=3),
}

BODIES = {
    "page": (200, b"<h1>Welcome</h1>"),
    "bytes": (200, b"raw"),
    "stream": (200, b"ab"),
    "json": (200, b'{"a":1}\n'),
    "file": (200, b"file"),
    "created": (201, b"made"),
    "not modified": (304, b""),
    "response": (202, b"my own"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_response_of_its_own_passes_as_it_is(name: str) -> None:
    answer = make_app().test_client().get(f"/own/{name}?result_type=xml")
    assert (answer.status_code, answer.data) == BODIES[name]
    answer.close()


def test_a_redirect_passes() -> None:
    answer = make_app().test_client().get("/own/redirect")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/elsewhere")
    assert make_app().test_client().get("/openai/custom").status_code == 308


def middleware(app: Any) -> Any:
    def crashes(environ: Any, start: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/outside":
            raise KeyError("swordfish")
        return app(environ, start)  # type: ignore[no-any-return]

    return crashes


FAILURES: dict[str, tuple[str, str, int, str, str]] = {
    "no route": ("GET", "/nowhere", 404, "4010", ""),
    "wrong method": ("DELETE", "/crash", 405, "4010", ""),
    "crash": ("GET", "/crash", 500, "5000", ""),
    "unwritable payload": ("GET", "/unwritable", 500, "4000", ""),
    "refused in a blueprint": ("GET", "/shop/refused", 404, "4010", ""),
    "missing parameter": ("GET", "/missing", 400, "4014", ""),
    **{f"abort {status}": ("GET", f"/abort/{status}", status, code, "") for status, code in
       {400: "4003", 401: "4005", 403: "4005", 404: "4010", 409: "4003", 410: "4010", 413: "4003", 415: "4003",
        422: "4003", 429: "4008", 500: "5000", 501: "5000", 502: "4002", 503: "4009", 504: "4017"}.items()},
    "page": ("GET", "/own/teapot", 418, "4003", ""),
    "json": ("GET", "/own/json failure", 422, "4003", ""),
    "map": ("GET", "/own/map as a failure", 404, "4010", ""),
    "response": ("GET", "/own/response failure", 403, "4005", ""),
    "somebody's words": ("GET", "/own/nobody", 401, "4005", "no seat"),
    "later": ("GET", "/own/later", 503, "4009", ""),
    "middleware": ("GET", "/outside", 500, "5000", ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def apps() -> list[Flask]:
    """As it is served, as it is tested, as it is debugged."""
    return [
        make_app(outside=middleware),
        make_app(outside=middleware, TESTING=True),
        make_app(outside=middleware, DEBUG=True),
    ]


@pytest.mark.parametrize("caller", CALLERS, ids=IDS)
@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_is_an_envelope_as_the_caller_wants_it(
    name: str, caller: tuple[ResultType, Lang], apps: list[Flask]
) -> None:
    verb, path, status, code, reason = FAILURES[name]
    for app in apps:
        answer = app.test_client().open(path, method=verb, query_string=query_of(caller))
        assert answer.status_code == status
        check_failure(ENGINE, caller, answer.headers, answer.data, code, reason=reason)
        assert b"swordfish" not in answer.data


def test_reasons_name_what_is_wrong() -> None:
    client = make_app().test_client()

    def reason(path: str) -> str:
        answer = client.get(path)
        return ENGINE.parse(answer.data, answer.headers["Content-Type"]).reason

    assert reason("/missing?lang=en") == "A parameter is missing: n"
    assert reason("/shop/refused?lang=en") == "There is no such API: model"
    assert reason("/openai/custom/?lang=en&_o_args=%5B1%5D") == "A parameter has an invalid value: _o_args"
    assert reason("/own/nobody?lang=en") == "no seat"


def test_headers_of_a_failure_stay() -> None:
    client = make_app().test_client()
    assert client.get("/own/later").headers["Retry-After"] == "7"
    assert client.get("/own/too often").headers["Retry-After"] == "3"
    assert {*client.delete("/crash").headers["Allow"].split(", ")} == {"GET", "HEAD", "OPTIONS"}
    assert client.options("/crash").status_code == 200
    head = client.head("/crash?result_type=xml")
    assert (head.status_code, head.headers["Content-Type"], head.data) == (500, "application/xml; charset=utf-8", b"")


@pytest.mark.parametrize("verb", ["get", "post"])
def test_an_unknown_format_or_language_is_refused_before_a_view_runs(verb: str) -> None:
    ran: list[int] = []
    app = make_app()

    @app.route("/pay", methods=["GET", "POST"])
    def pay() -> Any:
        ran.append(1)
        return []

    for name, wanted in (("result_type", "yaml"), ("lang", "fr")):
        given: dict[str, Any] = {"query_string" if verb == "get" else "data": {name: wanted}}
        answer = app.test_client().open("/pay", method=verb, **given)
        parsed = ENGINE.parse(answer.data, answer.headers["Content-Type"])
        assert (answer.status_code, parsed.error_code, parsed.reason.rpartition(": ")[2]) == (400, "4003", name)
    assert ran == []


def test_a_crash_is_told_once() -> None:
    TOLD.clear()
    make_app().test_client().get("/crash")
    make_app(TESTING=True).test_client().get("/crash")
    assert [type(error) for error in TOLD] == [KeyError, KeyError]
    make_app().test_client().get("/shop/refused")
    assert len(TOLD) == 2


def test_a_crash_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    for testing in (False, True):
        caplog.clear()
        make_app(Engine(), TESTING=testing).test_client().get("/crash")
        assert [record.levelno for record in caplog.records] == [logging.ERROR]
        assert "swordfish" in caplog.text


def test_somebodys_own_error_handlers_answer_envelopes() -> None:
    app = make_app()

    @app.errorhandler(404)
    def lost(error: HTTPException) -> Any:
        return Envelope.fail("4010", reason="nothing here")

    @app.errorhandler(403)
    def page(error: HTTPException) -> Any:
        return "<h1>Go away</h1>", 403

    def answered(path: str) -> tuple[int, str]:
        answer = app.test_client().get(path, query_string="lang=en")
        return answer.status_code, ENGINE.parse(answer.data, answer.headers["Content-Type"]).reason

    assert answered("/nowhere") == (404, "nothing here")
    assert answered("/abort/403") == (403, REGISTRY["4005"].en)


FORMS: dict[str, Callable[[], dict[str, Any]]] = {
    "GET": lambda: {"query_string": {"q": "连衣裙"}},
    "json": lambda: {"json": {"q": "连衣裙"}},
    "form": lambda: {"data": {"q": "连衣裙"}},
    "multipart": lambda: {"data": {"q": "连衣裙", "image": (BytesIO(b"\x89PNG"), "a.png")}},
}


@pytest.mark.parametrize("carrier", FORMS)
@pytest.mark.parametrize("touched", [False, True])
def test_a_call_is_the_same_however_it_comes_and_whoever_read_it_before(carrier: str, touched: bool) -> None:
    app = make_app()
    files: list[Any] = []

    @app.before_request
    def touch() -> None:
        if touched:
            assert request.form is not None

    @app.after_request
    def keep(response: Response) -> Response:
        files.extend(file.file for file in current_call().files)
        return response

    given: dict[str, Any] = {"method": "GET" if carrier == "GET" else "POST", **FORMS[carrier]()}
    answer = app.test_client().open("/openai/custom/", **given)
    assert ENGINE.parse(answer.data, answer.headers["Content-Type"]).response == {
        "q": "连衣裙",
        "lang": "cn",
        "files": [["image", "a.png", "\x89PNG"]] if carrier == "multipart" else [],
    }
    assert all(file.closed for file in files)


def test_accounts() -> None:
    engine = Engine(secrets={"k": "s"}.get, clock=time.time_ns)
    client = make_app(engine).test_client()

    def code(query: str) -> str:
        answer: TestResponse = client.get(f"/openai/custom/?q=x&{query}")
        return engine.parse(answer.data, answer.headers["Content-Type"]).error_code

    assert [code(query) for query in ("key=k&secret=s", "key=k&secret=x", "key=x&secret=s", "")] == [
        "0000",
        "4005",
        "4004",
        "4014",
    ]


def test_a_request_knows_nothing_of_the_one_before() -> None:
    app = make_app()
    with app.app_context():  # which all of them share
        for result_type in ("xml", "json"):
            answer = app.test_client().get(f"/payload/map?result_type={result_type}")
            assert result_type in answer.headers["Content-Type"]


def test_an_app_without_it() -> None:
    app = Flask(__name__)
    with app.test_request_context("/"), pytest.raises(RuntimeError, match="install"):
        current_caller()


class Silent(WSGIRequestHandler):
    def log(self, *_: Any) -> None: ...


@requires_curl
@pytest.mark.parametrize("carrier", CARRIERS)
def test_curl(carrier: str, tmp_path: Path) -> None:
    with running(make_server("127.0.0.1", 0, make_app(), request_handler=Silent)) as address:
        asked = carried(carrier, tmp_path)
        status, answer = curl(f"{address}/openai/custom/?result_type=serialize&lang=ru", *asked, engine=ENGINE)
        files = [["image", "a.png", "\x89PNG"]] if "multipart" in carrier else []
        assert (status, answer.response) == (200, {"q": "连衣裙", "lang": "ru", "files": files})
        status, answer = curl(f"{address}/nowhere?result_type=xml&lang=ru", *asked, engine=ENGINE)
        assert (status, answer.error_code) == (404, "4010")
