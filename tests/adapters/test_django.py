"""Django: every failure of a project is an envelope, and views return payloads; plain and asynchronous alike."""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("django", reason="Django is not installed (pip install 'envelope-engine[django]')")

import django
from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import BadRequest, ImproperlyConfigured, PermissionDenied, SuspiciousOperation
from django.core.wsgi import get_wsgi_application
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    HttpResponseServerError,
    JsonResponse,
    StreamingHttpResponse,
)
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import path
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from envelope import Envelope, Lang, Limits, RequestError, ResultType
from envelope.adapters.django import EnvelopeMiddleware, api_call, caller, enveloped
from envelope.calls.engine import Engine
from envelope.calls.request import ApiRequest
from envelope.registry.codes import REGISTRY
from tests.adapters.curl import CARRIERS, carried, curl, requires_curl, served
from tests.adapters.failures import CALLERS, IDS, check_failure, query_of
from tests.adapters.multipart_forms import TYPE

TOLD: list[Exception] = []
ENGINE = Engine(on_error=TOLD.append, request_id=lambda: "1.6403f86cd67f6")
NARROW = Engine(request_limits=Limits(max_bytes=1000))
QUIET = Engine()


class Inner:
    """A middleware that may crash, of both kinds."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if request.path == "/middleware/crash":
            raise KeyError("swordfish")
        if request.path == "/middleware/refused":
            raise RequestError("no such model", code="4010", path="$.model")
        return self.get_response(request)


if not settings.configured:
    settings.configure(
        SECRET_KEY="x",
        ALLOWED_HOSTS=["testserver", "127.0.0.1"],
        ROOT_URLCONF=__name__,
        ENVELOPE_ENGINE=f"{__name__}.ENGINE",
        MIDDLEWARE=[
            "envelope.adapters.django.EnvelopeMiddleware",
            "django.middleware.gzip.GZipMiddleware",
            "django.middleware.http.ConditionalGetMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            f"{__name__}.Inner",
        ],
        DATA_UPLOAD_MAX_MEMORY_SIZE=3000,
        LOGGING_CONFIG=None,
        USE_TZ=True,
    )
    django.setup()


def raises(error: Exception) -> Any:
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return view


def gives(make: Callable[[], Any]) -> Any:
    return lambda request: make()


def echo(call: ApiRequest) -> Any:
    files = [[file.name, file.filename, file.file.read().decode("latin-1")] for file in call.files]
    return {"q": call.params.get("q"), "lang": call.lang, "files": files}


@api_call
def custom(request: HttpRequest, call: ApiRequest) -> Any:
    return echo(call)


@api_call
async def custom_later(request: HttpRequest, call: ApiRequest) -> Any:
    await asyncio.sleep(0)
    return echo(call)


RAN: list[int] = []


@enveloped
def item(request: HttpRequest, number: int) -> Any:
    RAN.append(1)
    return {"id": number, "lang": caller(request).lang}


@enveloped
async def item_later(request: HttpRequest, number: int) -> Any:
    RAN.append(1)
    await asyncio.sleep(0)
    return Envelope.ok({"id": number, "lang": caller(request).lang})


class Item(View):
    def get(self, request: HttpRequest, number: int) -> Any:
        RAN.append(1)
        return {"id": number, "lang": caller(request).lang}


@enveloped
def refused(request: HttpRequest) -> Any:
    return Envelope.fail("4016", reason="my own words " * 30)


@csrf_exempt
@require_GET
@enveloped
def only_get(request: HttpRequest) -> Any:
    response = HttpResponse("kept")
    response.set_cookie("a", "1")
    return response


@enveloped
def too_often(request: HttpRequest) -> Any:
    response = HttpResponse("<h1>Wait</h1>", status=429, headers={"Retry-After": "7", "ETag": '"x"', "Vary": "Cookie"})
    response.set_cookie("a", "1")
    return response


@csrf_exempt
def takes_form(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.POST["q"])


CLOSED: list[str] = []


class Parts:
    """The parts of a stream, which note that they are closed."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"<h1>"
        yield b"Oh"

    def close(self) -> None:
        CLOSED.append("closed")


async def parts_later() -> AsyncIterator[bytes]:
    yield b"<h1>"


urlpatterns = [
    path("openai/custom/", custom),
    path("later/custom/", custom_later),
    path("item/<int:number>", item),
    path("later/item/<int:number>", item_later),
    path("class/item/<int:number>", enveloped(Item.as_view())),
    path("refused", refused),
    path("only-get", only_get),
    path("too-often", too_often),
    path("form", takes_form),
    path("csrf", gives(lambda: HttpResponse("x"))),
    path("crash", raises(KeyError("swordfish"))),
    path("404", raises(Http404("swordfish"))),
    path("denied", raises(PermissionDenied("swordfish"))),
    path("bad", raises(BadRequest("swordfish"))),
    path("suspicious", raises(SuspiciousOperation("swordfish"))),
    path("raised", raises(RequestError("no such model", code="4010", path="$.model"))),
    path("unwritable", enveloped(gives(lambda: [object]))),
    path("page", gives(lambda: HttpResponse("<h1>Welcome</h1>"))),
    path("redirect", gives(lambda: HttpResponseRedirect("/page"))),
    path("stream", gives(lambda: StreamingHttpResponse(iter([b"a", b"b"])))),
    path("file", gives(lambda: FileResponse(BytesIO(b"file")))),
    path("json-failure", gives(lambda: JsonResponse({"detail": "oh"}, status=422))),
    path("html-failure", gives(lambda: HttpResponseServerError("<h1>Oh</h1>" * 100))),
    path("stream-failure", gives(lambda: StreamingHttpResponse(Parts(), status=503))),
    path("later-stream-failure", gives(lambda: StreamingHttpResponse(parts_later(), status=503))),
]

FAILURES: dict[str, tuple[str, str, dict[str, Any], int, str]] = {
    "no route": ("GET", "/nowhere", {}, 404, "4010"),
    "Http404": ("GET", "/404", {}, 404, "4010"),
    "wrong method": ("DELETE", "/only-get", {}, 405, "4010"),
    "CSRF": ("POST", "/csrf", {}, 403, "4005"),
    "denied": ("GET", "/denied", {}, 403, "4005"),
    "bad request": ("GET", "/bad", {}, 400, "4003"),
    "suspicious": ("GET", "/suspicious", {}, 400, "4003"),
    "wrong host": ("GET", "/page", {"HTTP_HOST": "evil.example"}, 400, "4003"),
    "too much data": ("POST", "/form", {"data": {"q": "x" * 3000}}, 400, "4003"),
    "too many fields": ("POST", "/form", {"data": {f"f{n}": "" for n in range(1001)}}, 400, "4003"),
    "broken multipart": ("POST", "/form", {"data": b"--", "content_type": "multipart/form-data"}, 400, "4003"),
    "a picture": ("POST", "/nowhere", {"data": b"\x89PNG", "content_type": "image/png"}, 404, "4010"),
    "missing field": ("POST", "/form", {"data": {}}, 500, "5000"),
    "crash": ("GET", "/crash", {}, 500, "5000"),
    "crash in a middleware": ("GET", "/middleware/crash", {}, 500, "5000"),
    "refused in a middleware": ("GET", "/middleware/refused", {}, 404, "4010"),
    "refused by a view": ("GET", "/raised", {}, 404, "4010"),
    "unwritable payload": ("GET", "/unwritable", {}, 500, "4000"),
    "json": ("GET", "/json-failure", {}, 422, "4003"),
    "html": ("GET", "/html-failure", {}, 500, "5000"),
    "stream": ("GET", "/stream-failure", {}, 503, "4009"),
    "asynchronous stream": ("GET", "/later-stream-failure", {}, 503, "4009"),
    "too often": ("GET", "/too-often", {}, 429, "4008"),
}  # fmt: skip


class Answer:
    """What either client got."""

    def __init__(self, response: Any) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.cookies = response.cookies
        if not response.streaming:
            self.body = response.content
        elif response.is_async:
            self.body = asyncio.run(self._gathered(response))
        else:
            self.body = b"".join(response.streaming_content)
        response.close()

    @staticmethod
    async def _gathered(response: Any) -> bytes:
        return b"".join([part async for part in response.streaming_content])

    def parsed(self) -> Envelope[Any]:
        return ENGINE.parse(self.body, self.headers["Content-Type"])


def ask(kind: str, verb: str, where: str, query: str = "", **more: Any) -> Answer:
    """One call, by the client of this *kind*."""
    if kind == "sync":
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        return Answer(opened(client, verb, where, query, more))
    later = AsyncClient(enforce_csrf_checks=True, raise_request_exception=False)

    async def asked() -> Any:
        return await opened(later, verb, where, query, more)

    return Answer(asyncio.run(asked()))


def opened(client: Any, verb: str, where: str, query: str, more: dict[str, Any]) -> Any:
    headers = {name.removeprefix("HTTP_"): more.pop(name) for name in list(more) if name.startswith("HTTP_")}
    asked = getattr(client, verb.lower())
    return asked(f"{where}?{query}", headers=headers, **more)


KINDS = ["sync", "async"]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Django logs every failure: not here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("caller", CALLERS, ids=IDS)
@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_is_an_envelope_as_the_caller_wants_it(
    name: str, caller: tuple[ResultType, Lang], kind: str
) -> None:
    verb, where, more, status, code = FAILURES[name]
    for debug in (False, True):
        with override_settings(DEBUG=debug):
            answer = ask(kind, verb, where, query_of(caller), **more)
        assert answer.status == status
        check_failure(ENGINE, caller, answer.headers, answer.body, code)
        assert b"swordfish" not in answer.body


@pytest.mark.parametrize("kind", KINDS)
def test_headers_of_a_failure_stay(kind: str) -> None:
    answer = ask(kind, "GET", "/too-often")
    assert answer.headers["Retry-After"] == "7"
    assert answer.headers["Vary"] == "Accept, Accept-Language, Cookie"
    assert "ETag" not in answer.headers
    assert answer.cookies["a"].value == "1"
    assert ask(kind, "DELETE", "/only-get").headers["Allow"] == "GET"
    head = ask(kind, "HEAD", "/nowhere", "result_type=xml")
    assert (head.status, head.headers["Content-Type"], head.body) == (404, "application/xml; charset=utf-8", b"")


def test_a_stream_that_is_replaced_is_closed() -> None:
    CLOSED.clear()
    ask("sync", "GET", "/stream-failure")
    assert CLOSED == ["closed"]


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_failure_passes(kind: str) -> None:
    assert ask(kind, "GET", "/page", "result_type=xml").body == b"<h1>Welcome</h1>"
    assert ask(kind, "GET", "/stream").body == b"ab"
    assert ask(kind, "GET", "/file").body == b"file"
    assert ask(kind, "GET", "/only-get").body == b"kept"
    redirect = ask(kind, "GET", "/redirect")
    assert (redirect.status, redirect.headers["Location"]) == (302, "/page")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("caller", CALLERS, ids=IDS)
@pytest.mark.parametrize("where", ["/item/7", "/later/item/7", "/class/item/7"])
def test_a_view_returns_a_payload_or_an_envelope(where: str, caller: tuple[ResultType, Lang], kind: str) -> None:
    answer = ask(kind, "GET", where, query_of(caller))
    assert (answer.status, answer.headers["Content-Language"]) == (200, caller[1].tag)
    assert ENGINE.parse(answer.body, answer.headers["Content-Type"]).response == {"id": 7, "lang": caller[1]}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packed", [False, True])
def test_an_envelope_of_a_view_passes_even_if_it_is_compressed(kind: str, packed: bool) -> None:
    answer = ask(
        kind, "GET", "/refused", "result_type=serialize", **({"HTTP_ACCEPT-ENCODING": "gzip"} if packed else {})
    )
    assert answer.headers.get("Content-Encoding") == ("gzip" if packed else None)
    body = gzip.decompress(answer.body) if packed else answer.body
    assert answer.status == 402
    assert ENGINE.parse(body, answer.headers["Content-Type"]).reason == "my own words " * 30


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", ["/item/7", "/later/item/7", "/class/item/7"])
def test_an_unknown_format_or_language_is_refused_before_a_view_runs(where: str, kind: str) -> None:
    RAN.clear()
    for name, wanted in (("result_type", "yaml"), ("lang", "fr")):
        answer = ask(kind, "GET", where, f"{name}={wanted}")
        assert (answer.status, answer.parsed().reason) == (400, f"{REGISTRY['4003'].cn}: {name}")
    assert RAN == []


FORMS: dict[str, Callable[[], dict[str, Any]]] = {
    "json": lambda: {"data": '{"q":"连衣裙"}'.encode(), "content_type": "application/json"},
    "form": lambda: {"data": b"q=%E8%BF%9E%E8%A1%A3%E8%A3%99", "content_type": "application/x-www-form-urlencoded"},
    "gzip": lambda: {
        "data": gzip.compress("q=连衣裙".encode()),
        "content_type": "application/x-www-form-urlencoded",
        "HTTP_CONTENT-ENCODING": "gzip",
    },
    "multipart": lambda: {"data": {"q": "连衣裙", "image": named(BytesIO(b"\x89PNG"))}},
}


def named(file: Any) -> Any:
    file.name = "a.png"
    return file


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("carrier", ["GET", *FORMS])
@pytest.mark.parametrize("where", ["/openai/custom/", "/later/custom/"])
def test_a_call_is_the_same_however_it_comes(where: str, carrier: str, kind: str) -> None:
    if carrier == "GET":
        answer = ask(kind, "GET", where, "q=%E8%BF%9E%E8%A1%A3%E8%A3%99&lang=ru")
    else:
        answer = ask(kind, "POST", where, "lang=ru", **FORMS[carrier]())
    files = [["image", "a.png", "\x89PNG"]] if carrier == "multipart" else []
    assert (answer.status, answer.parsed().response) == (200, {"q": "连衣裙", "lang": "ru", "files": files})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("carrier", ["json", "form", "gzip", "multipart"])
@pytest.mark.parametrize("where", ["/nowhere", "/csrf"])
def test_the_format_and_language_may_be_in_the_body(where: str, carrier: str, kind: str) -> None:
    bodies: dict[str, Any] = {
        "json": b'{"result_type":"xml","lang":"ru"}',
        "form": b"result_type=xml&lang=ru",
        "gzip": gzip.compress(b"result_type=xml&lang=ru"),
        "multipart": {"result_type": "xml", "lang": "ru"},
    }
    answer = ask(kind, "POST", where, **{**FORMS[carrier](), "data": bodies[carrier]})
    code = "4010" if where == "/nowhere" else "4005"
    check_failure(ENGINE, (ResultType.XML, Lang.RU), answer.headers, answer.body, code)


@pytest.mark.parametrize(
    ("body", "more", "status"),
    [
        (b"q=" + b"x" * 1000, {}, 413),
        (gzip.compress(b"q=" + b"x" * 1000, mtime=0), {"HTTP_CONTENT-ENCODING": "gzip"}, 413),
        (b"q=1", {"HTTP_CONTENT-ENCODING": "br"}, 400),
        (b"q=1", {"HTTP_CONTENT-ENCODING": "gzip"}, 400),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_body_is_bounded(body: bytes, more: dict[str, Any], status: int, kind: str) -> None:
    with override_settings(ENVELOPE_ENGINE=f"{__name__}.NARROW"):
        content_type = "application/x-www-form-urlencoded"
        answer = ask(kind, "POST", "/openai/custom/", "lang=ru", data=body, content_type=content_type, **more)
    assert answer.status == status
    check_failure(NARROW, (ResultType.JSON, Lang.RU), answer.headers, answer.body, "4003")


@pytest.mark.parametrize("content_type", ["application/json", TYPE])
def test_who_hangs_up_is_no_fault_of_the_project(content_type: str) -> None:
    class Lost:
        def read(self, *_: Any) -> bytes:
            raise OSError("lost")

        def close(self) -> None:
            pass

    request = RequestFactory().generic("POST", "/openai/custom/", b"x", content_type)
    request.META["envelope.engine"] = ENGINE
    vars(request)["_stream"] = Lost()
    with pytest.raises(RequestError, match="cannot be read to its end"):
        api_call(lambda request, call: call.params)(request)


@pytest.mark.parametrize("kind", KINDS)
def test_a_crash_is_told_once(kind: str) -> None:
    TOLD.clear()
    for where in ("/crash", "/middleware/crash", "/unwritable", "/raised", "/middleware/refused", "/404"):
        ask(kind, "GET", where)
    assert [type(error).__name__ for error in TOLD] == ["KeyError", "KeyError", "EncodeError"]


def test_a_crash_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    logging.disable(logging.NOTSET)
    with override_settings(ENVELOPE_ENGINE=f"{__name__}.QUIET"):
        ask("sync", "GET", "/crash")
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "swordfish" in caplog.text


def test_what_a_view_raises_leaves_it_so_that_django_rolls_back() -> None:
    request = RequestFactory().get("/")
    request.META["envelope.engine"] = ENGINE
    with pytest.raises(RequestError, match="no such model"):
        enveloped(raises(RequestError("no such model")))(request)


def test_settings_that_are_wrong_say_so() -> None:
    for name in (None, "envelope.calls.Engine", ENGINE):
        with override_settings(ENVELOPE_ENGINE=name), pytest.raises(ImproperlyConfigured, match="ENVELOPE_ENGINE"):
            EnvelopeMiddleware(lambda request: HttpResponse())
    with pytest.raises(ImproperlyConfigured, match="MIDDLEWARE"):
        caller(RequestFactory().get("/"))


@requires_curl
@pytest.mark.parametrize("carrier", [name for name in CARRIERS if name != "POST chunked"])
def test_curl(carrier: str, tmp_path: Path) -> None:
    with served(get_wsgi_application()) as address:
        asked = carried(carrier, tmp_path)
        status, answer = curl(f"{address}/openai/custom/?result_type=serialize&lang=ru", *asked, engine=ENGINE)
        files = [["image", "a.png", "\x89PNG"]] if "multipart" in carrier else []
        assert (status, answer.response) == (200, {"q": "连衣裙", "lang": "ru", "files": files})
        status, answer = curl(f"{address}/nowhere?result_type=xml&lang=ru", *asked, engine=ENGINE)
        assert (status, answer.error_code) == (404, "4010")
