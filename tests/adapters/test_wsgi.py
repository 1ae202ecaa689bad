"""WSGI: whatever an app does, a caller gets an envelope, or exactly what the app sent."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from http.client import HTTPConnection, IncompleteRead
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope import Envelope, Lang, Limits, RequestError, ResultType
from envelope.adapters.wsgi import EnvelopeApp, EnvelopeMiddleware, read_http
from envelope.calls.engine import Engine
from envelope.calls.request import ApiRequest
from envelope.registry.codes import REGISTRY
from tests.adapters.curl import CARRIERS, carried, curl, requires_curl, served
from tests.adapters.failures import CALLERS, IDS, check_failure, query_of
from tests.adapters.multipart_forms import TYPE, Part, written
from tests.adapters.wsgi_client import Answer, called, environ_of

FORM = "application/x-www-form-urlencoded"
ENGINE = Engine(apis={"custom"}, request_id=lambda: "1.6403f86cd67f6", on_error=lambda error: None)


def echo(call: ApiRequest) -> Any:
    files = [[file.name, file.filename, file.file.read().decode("latin-1")] for file in call.files]
    return {"method": call.method, "args": call.args, **call.params, "files": files}


GATEWAY = EnvelopeApp(ENGINE, echo)


def ask(*given: Any, app: Any = GATEWAY, **more: Any) -> tuple[int, Envelope[Any]]:
    answer = called(app, environ_of(*given, **more))
    return answer.status, ENGINE.parse(answer.body, answer.headers["Content-Type"])


# A gateway


@pytest.mark.parametrize(
    ("verb", "query", "body", "content_type"),
    [
        ("GET", "method=v1/models&_o_args=%7B%22n%22%3A1%7D&q=%E4%B8%AD", b"", ""),
        ("POST", "", b'{"method":"v1/models","_o_args":{"n":1},"q":"\xe4\xb8\xad"}', "application/json"),
        ("POST", "method=v1/models", b"_o_args=%7B%22n%22%3A1%7D&q=%E4%B8%AD", FORM),
        ("POST", "q=%E4%B8%AD", written([Part(b"method", b"v1/models"), Part(b"_o_args", b'{"n":1}')]), TYPE),
    ],
    ids=["GET", "json", "form", "multipart"],
)
@pytest.mark.parametrize("how", ["plain", "chunked", "gzip"])
def test_a_call_is_the_same_however_it_comes(verb: str, query: str, body: bytes, content_type: str, how: str) -> None:
    more: dict[str, Any] = {"CONTENT_TYPE": content_type}
    if how == "gzip" and body:
        more["HTTP_CONTENT_ENCODING"] = "gzip"
        body = gzip.compress(body)
    environ = environ_of(verb, "/openai/custom/", query, body, **more)
    if how == "chunked":
        environ.pop("CONTENT_LENGTH", None)
        environ |= {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = called(GATEWAY, environ)
    assert answer.status == 200
    assert ENGINE.parse(answer.body, answer.headers["Content-Type"]).response == {
        "method": "v1/models",
        "args": {"n": 1},
        "q": "中",
        "files": [],
    }


def test_files_are_streams_until_the_call_is_answered() -> None:
    kept: list[Any] = []

    def keep(call: ApiRequest) -> Any:
        kept.extend(file.file for file in call.files)
        return echo(call)

    body = written([Part(b"image", b"\x89PNG", b"a.png", b"image/png"), Part(b"n", b"1")])
    status, answer = ask("POST", "/openai/custom/", "", body, app=EnvelopeApp(ENGINE, keep), CONTENT_TYPE=TYPE)
    assert (status, answer.response["files"], answer.response["n"]) == (200, [["image", "a.png", "\x89PNG"]], "1")
    assert [file.closed for file in kept] == [True]


@pytest.mark.parametrize("caller", CALLERS, ids=IDS)
@pytest.mark.parametrize(
    ("environ", "status", "code"),
    [
        (environ_of("PUT", "/openai/custom/"), 405, "4010"),
        (environ_of("GET", "/openai/other/"), 404, "4010"),
        (environ_of("GET", "/openai/custom/", CONTENT_LENGTH="3000000"), 413, "4003"),
        (environ_of("POST", "/openai/custom/", "", b"x" * 2000, CONTENT_TYPE=FORM), 413, "4003"),
        (environ_of("POST", "/openai/custom/", "", gzip.compress(b"x" * 2000), HTTP_CONTENT_ENCODING="gzip"), 413, "4003"),
        (environ_of("POST", "/openai/custom/", "", b"a=1", HTTP_CONTENT_ENCODING="gzip"), 400, "4003"),
        (environ_of("POST", "/openai/custom/", "", gzip.compress(b"a=1")[:-1], HTTP_CONTENT_ENCODING="gzip"), 400, "4003"),
        (environ_of("POST", "/openai/custom/", "", b"a=1", HTTP_CONTENT_ENCODING="br"), 400, "4003"),
        (environ_of("POST", "/openai/custom/", "", b"a=1", CONTENT_LENGTH="9"), 400, "4003"),
        (environ_of("POST", "/openai/custom/", HTTP_TRANSFER_ENCODING="chunked"), 400, "4003"),
        (environ_of("POST", "/openai/custom/", "", b"a=1", CONTENT_TYPE="image/png"), 400, "4003"),
        (environ_of("POST", "/openai/custom/", "", b"{", CONTENT_TYPE="application/json"), 400, "4003"),
        (environ_of("POST", "/openai/custom/", "", b"--", CONTENT_TYPE=TYPE), 400, "4003"),
    ],
)  # fmt: skip
def test_a_call_that_is_wrong_is_answered_too(
    environ: dict[str, Any], status: int, code: str, caller: tuple[ResultType, Lang]
) -> None:
    body = BytesIO(environ["wsgi.input"].getvalue())
    engine = Engine(apis={"custom"}, request_limits=Limits(max_bytes=1000))
    answer = called(EnvelopeApp(engine, echo), {**environ, "QUERY_STRING": query_of(caller), "wsgi.input": body})
    assert answer.status == status
    check_failure(engine, caller, answer.headers, answer.body, code)
    assert answer.headers.get("Allow") == ("GET, HEAD, POST, OPTIONS" if status == 405 else None)
    # Every failure is under HTTP 200, where clients need that.
    always = Engine(apis={"custom"}, request_limits=Limits(max_bytes=1000), statuses="ok")
    body.seek(0)
    answer = called(EnvelopeApp(always, echo), {**environ, "QUERY_STRING": query_of(caller), "wsgi.input": body})
    assert answer.status == 200
    check_failure(always, caller, answer.headers, answer.body, code)


def test_the_answer_to_head_is_that_to_get_without_a_body() -> None:
    asked = ("/openai/custom/", "method=v1/models&result_type=xml")
    answers = [called(GATEWAY, environ_of(verb, *asked)) for verb in ("GET", "HEAD")]
    assert answers[1] == answers[0]._replace(body=b"")


def test_options_says_what_is_allowed() -> None:
    answer = called(GATEWAY, environ_of("OPTIONS", "/openai/custom/"))
    assert (answer.status, answer.pairs, answer.body) == (204, [("Allow", "GET, HEAD, POST, OPTIONS")], b"")


def test_a_path_is_as_it_came() -> None:
    engine = Engine()
    for path in ("/openai/b%41d/", "/openai/\xe4\xb8\xad/"):
        answer = called(EnvelopeApp(engine, echo), environ_of("GET", path))
        assert engine.parse(answer.body, answer.headers["Content-Type"]).error_code == "4010"
    answer = called(
        EnvelopeApp(engine, lambda call: call.api_name), environ_of("GET", "/custom/", SCRIPT_NAME="/mnt/openai")
    )
    assert engine.parse(answer.body, answer.headers["Content-Type"]).response == "custom"


class Broken(BytesIO):
    """A connection that is lost."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError("lost")


@pytest.mark.parametrize("how", ["no package", "lost connection"])
@pytest.mark.parametrize(
    "app", [GATEWAY, EnvelopeMiddleware(lambda environ, start: page("404 Oh")(environ, start), ENGINE)]
)
def test_what_keeps_a_server_from_reading_a_body(app: Any, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = environ_of("POST", "/openai/custom/", "lang=en", written([Part(b"a", b"1")]), CONTENT_TYPE=TYPE)
    if how == "no package":
        monkeypatch.setitem(sys.modules, "python_multipart", None)
    else:
        environ["wsgi.input"] = Broken()
    answer = called(app, environ)
    # Whoever hangs up is no fault of the server's.
    code = ("5000" if how == "no package" else "4003") if app is GATEWAY else "4010"
    check_failure(ENGINE, (ResultType.JSON, Lang.EN), answer.headers, answer.body, code)


BODIES = st.binary(max_size=60) | st.sampled_from(
    [b'{"lang":"ru"}', b"lang=ru&a[b]=1", written([Part(b"lang", b"ru"), Part(b"f", b"x", b"f")])]
)


@given(
    verb=st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS"]),
    query=st.text(st.characters(max_codepoint=255), max_size=20) | st.sampled_from(["lang=ru", "result_type=yaml"]),
    path=st.text(st.characters(max_codepoint=255), max_size=9).map("/".__add__) | st.just("/openai/custom/"),
    body=BODIES | BODIES.map(gzip.compress),
    length=st.none() | st.integers(0, 99).map(str) | st.sampled_from(["", "x", "-1", "9" * 30]),
    content_type=st.sampled_from(["", FORM, "application/json", TYPE, "multipart/form-data", "text/plain", "image/png", "a; charset=gbk", "\xff"]),
    encoding=st.sampled_from(["", "gzip", "identity", "br", "\xff"]),
    is_terminated=st.booleans(),
)  # fmt: skip
def test_whatever_comes_to_a_gateway_is_answered(
    verb: str,
    query: str,
    path: str,
    body: bytes,
    length: str | None,
    content_type: str,
    encoding: str,
    is_terminated: bool,
) -> None:
    """A law on the raw protocol: there is an envelope, whose code and status agree, and nobody is told of a crash."""
    crashes: list[Exception] = []
    engine = Engine(apis={"custom"}, on_error=crashes.append)
    environ = environ_of(verb, path, query, CONTENT_TYPE=content_type, HTTP_CONTENT_ENCODING=encoding)
    environ |= {"wsgi.input": BytesIO(body), "wsgi.input_terminated": is_terminated}
    if length is not None:
        environ["CONTENT_LENGTH"] = length
    answer = called(EnvelopeMiddleware(EnvelopeApp(engine, echo), engine), environ, checked=False)
    assert crashes == []
    if verb == "OPTIONS":
        assert answer.status == 204
    elif verb == "HEAD":
        assert (answer.body, "Content-Length" in answer.headers) == (b"", True)
    else:
        parsed = engine.parse(answer.body, answer.headers["Content-Type"])
        assert parsed.error_code in ("0000", "4003", "4010", "4014")
        assert (answer.status == 200) == (parsed.error_code == "0000")


# Any app

HTML = [("Content-Type", "text/html; charset=utf-8")]


def page(status: str, *headers: tuple[str, str], body: bytes = b"<h1>Oh</h1>") -> Any:
    def app(environ: Any, start: Any) -> Iterable[bytes]:
        start(status, [*HTML, ("Content-Length", str(len(body))), *headers])
        return [body]

    return app


def raises(error: BaseException) -> Any:
    def app(environ: Any, start: Any) -> Iterable[bytes]:
        raise error

    return app


def started_and_raises(environ: Any, start: Any) -> Iterable[bytes]:
    start("200 OK", HTML)
    raise KeyError("swordfish")


def generated_and_raises(environ: Any, start: Any) -> Iterator[bytes]:
    start("200 OK", HTML)
    yield b""
    raise KeyError("swordfish")


def in_vain(environ: Any, start: Any) -> Iterator[bytes]:
    start("500 Oh", HTML)
    yield b"<h1>"
    raise KeyError("swordfish")


def mute(environ: Any, start: Any) -> Iterable[bytes]:
    return iter([])


def garbled(environ: Any, start: Any) -> Iterable[bytes]:
    start("fine", HTML)
    return iter([])


def twice(environ: Any, start: Any) -> Iterable[bytes]:
    start("200 OK", HTML)
    start("200 OK", HTML)
    return iter([])


def caught(environ: Any, start: Any) -> Iterable[bytes]:
    start("200 OK", HTML)
    try:
        raise KeyError("swordfish")
    except KeyError:
        start("500 Oh", HTML, sys.exc_info())
    return iter([b"<h1>", b"Oh"])


def writes(environ: Any, start: Any) -> Iterable[bytes]:
    write = start("503 Wait", [*HTML, ("Retry-After", "7")])
    write(b"<h1>")
    return iter([b"Oh"])


def endless(environ: Any, start: Any) -> Iterator[bytes]:
    start("500 Oh", HTML)
    while True:
        yield b"x" * 100_000


def detail(environ: Any, start: Any) -> Iterator[bytes]:
    start("422 Unprocessable", [("Content-Type", "application/json")])
    yield b'{"detail": [{"loc": ["query", "n"]}]}'


def nearly(environ: Any, start: Any) -> Iterator[bytes]:
    """A success that is sent as a failure."""
    start("500 Oh", [("Content-Type", "application/json")])
    yield ENGINE.respond(ApiRequest(key="", api_name="x"), 1).body


FAILURES: dict[str, tuple[Any, int, str]] = {
    **{
        str(status): (page(f"{status} Oh"), status, code)
        for status, code in {
            400: "4003", 401: "4005", 402: "4016", 403: "4005", 404: "4010", 405: "4010", 408: "4017", 409: "4003",
            410: "4010", 413: "4003", 415: "4003", 418: "4003", 422: "4003", 429: "4008", 451: "4003", 499: "4003",
            500: "5000", 501: "5000", 502: "4002", 503: "4009", 504: "4017", 599: "5000",
        }.items()
    },
    "raises": (raises(KeyError("swordfish")), 500, "5000"),
    "refuses": (raises(RequestError("no such model", code="4010", path="$.model")), 404, "4010"),
    "started and raises": (started_and_raises, 500, "5000"),
    "generated and raises": (generated_and_raises, 500, "5000"),
    "in vain": (in_vain, 500, "5000"),
    "mute": (mute, 500, "5000"),
    "garbled": (garbled, 500, "5000"),
    "twice": (twice, 500, "5000"),
    "caught": (caught, 500, "5000"),
    "writes": (writes, 503, "4009"),
    "endless": (endless, 500, "5000"),
    "detail": (detail, 422, "4003"),
    "nearly": (nearly, 500, "5000"),
}  # fmt: skip


@pytest.mark.parametrize("caller", CALLERS, ids=IDS)
@pytest.mark.parametrize("name", FAILURES)
def test_every_failure_is_an_envelope_as_the_caller_wants_it(name: str, caller: tuple[ResultType, Lang]) -> None:
    app, status, code = FAILURES[name]
    answer = called(EnvelopeMiddleware(app, ENGINE), environ_of("GET", "/", query_of(caller)))
    assert answer.status == status
    check_failure(ENGINE, caller, answer.headers, answer.body, code)
    assert b"swordfish" not in answer.body
    head = called(EnvelopeMiddleware(app, ENGINE), environ_of("HEAD", "/", query_of(caller)))
    if name != "nearly":
        assert (head.status, head.headers["Content-Type"], head.body) == (status, answer.headers["Content-Type"], b"")


@pytest.mark.parametrize("reads", [0, 5, -1])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"result_type":"xml","lang":"ru"}', "application/json"),
        (b'{"result_type":"xml","lang":"ru"}', ""),
        (b"result_type=xml&lang=ru", FORM),
        (written([Part(b"result_type", b"xml"), Part(b"f", b"x" * 9, b"f"), Part(b"lang", b"ru")]), TYPE),
    ],
)  # fmt: skip
def test_the_format_and_language_may_be_in_a_body_that_the_app_has_read_or_not(
    body: bytes, content_type: str, packed: bool, reads: int
) -> None:
    def app(environ: Any, start: Any) -> Iterable[bytes]:
        environ["wsgi.input"].read(reads)
        return page("404 Oh")(environ, start)  # type: ignore[no-any-return]

    if packed:
        body = gzip.compress(body)
    environ = environ_of("POST", "/", "", body, CONTENT_TYPE=content_type, HTTP_CONTENT_ENCODING="gzip" * packed)
    answer = called(EnvelopeMiddleware(app, ENGINE), environ)
    check_failure(ENGINE, (ResultType.XML, Lang.RU), answer.headers, answer.body, "4010")


@pytest.mark.parametrize(
    "more", [{"CONTENT_TYPE": "image/png"}, {"CONTENT_LENGTH": "9000000"}, {"HTTP_CONTENT_ENCODING": "br"}]
)
def test_a_body_that_says_nothing_leaves_the_headers(more: dict[str, Any]) -> None:
    more = {"CONTENT_TYPE": FORM, "HTTP_ACCEPT": "application/xml", "HTTP_ACCEPT_LANGUAGE": "en"} | more
    environ = environ_of("POST", "/", "", b"result_type=json&lang=ru" + b"&" * 3_000_000, **more)
    answer = called(EnvelopeMiddleware(page("404 Oh"), ENGINE), environ)
    check_failure(ENGINE, (ResultType.XML, Lang.EN), answer.headers, answer.body, "4010")


def test_an_unknown_format_is_answered_in_json() -> None:
    environ = environ_of("GET", "/", "result_type=yaml&lang=en", HTTP_ACCEPT="application/xml")
    answer = called(EnvelopeMiddleware(page("404 Oh"), ENGINE), environ)
    check_failure(ENGINE, (ResultType.JSON, Lang.EN), answer.headers, answer.body, "4010")


def test_headers_that_matter_stay_and_those_of_the_old_body_go() -> None:
    stay = [
        ("Allow", "GET"), ("Retry-After", "3"), ("WWW-Authenticate", "Basic"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"),
        ("Access-Control-Allow-Origin", "*"), ("X-Request-Id", "7"), ("Cache-Control", "no-store"),
    ]  # fmt: skip
    go = [("ETag", '"x"'), ("Content-Encoding", "gzip"), ("Content-Disposition", "inline"), ("Last-Modified", "now")]
    answer = called(EnvelopeMiddleware(page("405 Oh", *stay, *go, ("vary", "Cookie, accept")), ENGINE), environ_of())
    assert answer.pairs == [
        *stay,
        ("Content-Type", "application/json"),
        ("Content-Language", "zh-Hans"),
        ("Vary", "accept, Accept-Language, Cookie"),
        ("Content-Length", str(len(answer.body))),
    ]


def test_options_says_what_an_app_allows_if_that_knows_nothing_of_it() -> None:
    for allowed, expected in (("GET, POST", "GET, POST, OPTIONS"), ("", "OPTIONS")):
        app = page("405 Oh", ("Allow", allowed), ("Set-Cookie", "a=1"))
        answer = called(EnvelopeMiddleware(app, ENGINE), environ_of("OPTIONS"))
        assert (answer.status, answer.pairs, answer.body) == (204, [("Set-Cookie", "a=1"), ("Allow", expected)], b"")
    assert called(EnvelopeMiddleware(page("404 Oh"), ENGINE), environ_of("OPTIONS")).status == 404


@pytest.mark.parametrize("caller", CALLERS, ids=IDS)
@pytest.mark.parametrize("verb", ["GET", "HEAD"])
def test_an_envelope_passes_as_it_is(caller: tuple[ResultType, Lang], verb: str) -> None:
    gateway = EnvelopeApp(ENGINE, lambda call: Envelope.fail("4016", reason="my own words", extras={"x": "1"}))
    environ = environ_of(verb, "/openai/custom/", query_of(caller))
    bare = called(gateway, dict(environ))
    assert bare.status == 402
    assert called(EnvelopeMiddleware(gateway, ENGINE), environ) == bare


class Closed:
    """Parts that count how often they are closed."""

    def __init__(self, *parts: bytes | Exception) -> None:
        self.parts = parts
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            if isinstance(part, Exception):
                raise part
            yield part

    def close(self) -> None:
        self.count += 1


@given(
    st.sampled_from(["200 OK", "204 No Content", "302 Found", "304 Not Modified", "404 Oh", "500 Oh"]),
    st.lists(st.binary(max_size=5) | st.just(KeyError("swordfish")), max_size=5),
    st.lists(st.binary(min_size=1, max_size=5), max_size=2),
    st.sampled_from(["now", "later"]),
)
def test_whatever_leaves_an_app(status: str, parts: list[bytes | Exception], early: list[bytes], when: str) -> None:
    """A law on the raw protocol: what is sent is what the app sent, or an envelope; and all is closed, once."""
    result = Closed(*parts)

    def app(environ: Any, start: Any) -> Iterable[bytes]:
        def begin() -> None:
            write = start(status, [("X-Own", "1")])
            for data in early:
                write(data)

        class Later(Closed):
            def __iter__(self) -> Iterator[bytes]:
                begin()
                return iter(result)

            def close(self) -> None:
                result.close()

        if when == "later":
            return Later()
        begin()
        return result

    is_failure = int(status[:3]) >= 400
    sent = b"".join(early)
    crash = next((index for index, part in enumerate(parts) if isinstance(part, Exception)), None)
    before = b"".join(part for part in parts[:crash] if isinstance(part, bytes))
    wrapped = EnvelopeMiddleware(app, ENGINE)
    if crash is not None and not is_failure and sent + before:
        with pytest.raises(KeyError):
            called(wrapped, environ_of(), checked=False)
    else:
        answer = called(wrapped, environ_of(), checked=False)
        if is_failure or crash is not None:
            code = "5000" if crash is not None else {"404": "4010", "500": "5000"}[status[:3]]
            check_failure(ENGINE, (ResultType.JSON, Lang.CN), answer.headers, answer.body, code)
        else:
            assert (answer.status, answer.pairs, answer.body) == (int(status[:3]), [("X-Own", "1")], sent + before)
    assert result.count == 1


def test_lists_and_files_are_the_very_objects_of_the_app() -> None:
    """A server counts the parts of a list, and sends a file in its own way."""
    results: list[Any] = [[b"a", b"b"], (b"a",)]

    def app(environ: Any, start: Any) -> Iterable[bytes]:
        start("200 OK", HTML)
        return results[-1]  # type: ignore[no-any-return]

    def sends_file(environ: Any, start: Any) -> Iterable[bytes]:
        start("200 OK", HTML)
        results.append(environ["wsgi.file_wrapper"](BytesIO(b"file"), 2))
        return results[-1]  # type: ignore[no-any-return]

    for inner in (app, sends_file):
        result = EnvelopeMiddleware(inner, ENGINE)(environ_of(), lambda *head: lambda data: None)
        assert result is results[-1]
    assert type(results[-1]) is FileWrapper


def test_a_stream_is_passed_on_as_it_is_made() -> None:
    made: list[int] = []

    def app(environ: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", HTML)
        for number in range(3):
            made.append(number)
            yield b"%d" % number

    heads: list[Any] = []

    def start(*head: Any) -> Callable[[bytes], None]:
        heads.append(head)
        return lambda data: None

    result = EnvelopeMiddleware(app, ENGINE)(environ_of(), start)
    assert (made, heads) == ([0], [("200 OK", HTML)])
    parts = iter(result)
    assert (next(parts), made, next(parts), made) == (b"0", [0, 1], b"1", [0, 1])


def test_a_crash_is_told() -> None:
    told: list[Exception] = []
    engine = Engine(on_error=told.append)
    called(EnvelopeMiddleware(raises(KeyError("x")), engine), environ_of())
    called(EnvelopeMiddleware(generated_and_raises, engine), environ_of())
    called(EnvelopeMiddleware(raises(RequestError("wrong")), engine), environ_of())
    assert [type(error) for error in told] == [KeyError, KeyError]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
def test_what_ends_a_server_is_not_a_failure_of_the_app(error: BaseException) -> None:
    with pytest.raises(type(error)):
        called(EnvelopeMiddleware(raises(error), ENGINE), environ_of(), checked=False)


def test_an_app_that_fails_after_its_first_byte_may_say_so_itself() -> None:
    def app(environ: Any, start: Any) -> Iterable[bytes]:
        start("200 OK", HTML)(b"<h1>")
        try:
            raise KeyError("swordfish")
        except KeyError:
            start("500 Oh", HTML, sys.exc_info())
        return []

    with pytest.raises(KeyError):
        called(EnvelopeMiddleware(app, ENGINE), environ_of(), checked=False)


def test_failures_of_an_app_may_be_under_200_too() -> None:
    engine = Engine(statuses="ok")
    answer = called(EnvelopeMiddleware(page("405 Oh", ("Allow", "GET")), engine), environ_of())
    assert (answer.status, answer.headers["Allow"]) == (200, "GET")
    check_failure(engine, (ResultType.JSON, Lang.CN), answer.headers, answer.body, "4010")


def test_what_an_app_does_to_its_environment_changes_no_answer() -> None:
    def app(environ: Any, start: Any) -> Iterable[bytes]:
        environ.clear()
        raise KeyError("x")

    answer = called(EnvelopeMiddleware(app, ENGINE), environ_of("HEAD", "/", "result_type=xml&lang=en"), checked=False)
    assert (answer.headers["Content-Type"], answer.body) == ("application/xml; charset=utf-8", b"")


def test_inside_the_middleware_a_call_is_read_whoever_has_read_it_before() -> None:
    def app(environ: Any, start: Any) -> Iterable[bytes]:
        environ["wsgi.input"].read(3)
        http = read_http(environ, ENGINE)
        start("200 OK", HTML)
        return [http.body]

    environ = environ_of("POST", "/", "", b"result_type=xml", CONTENT_TYPE=FORM)
    assert called(EnvelopeMiddleware(app, ENGINE), environ).body == b"result_type=xml"


@requires_curl
@pytest.mark.parametrize(
    "carrier", [name for name in CARRIERS if name != "POST chunked"]
)  # which this server cannot read
def test_curl(carrier: str, tmp_path: Path) -> None:
    with served(EnvelopeMiddleware(GATEWAY, ENGINE)) as address:
        asked = carried(carrier, tmp_path)
        status, answer = curl(f"{address}/openai/custom/?result_type=serialize", *asked, engine=ENGINE)
        files = [["image", "a.png", "\x89PNG"]] if "multipart" in carrier else []
        assert (status, answer.response) == (200, {"method": "", "args": None, "q": "连衣裙", "files": files})
        status, answer = curl(f"{address}/openai/other/?result_type=xml", *asked, engine=ENGINE)
        assert (status, answer.error_code) == (404, "4010")


def test_a_crash_after_the_first_byte_closes_the_connection() -> None:
    def app(environ: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", [*HTML, ("Content-Length", "9")])
        yield b"<h1>"
        raise KeyError("swordfish")

    with (
        served(EnvelopeMiddleware(app, ENGINE)) as address,
        closing(HTTPConnection(address.removeprefix("http://"), timeout=30)) as connection,
    ):
        connection.request("GET", "/")
        with pytest.raises(IncompleteRead) as info:
            connection.getresponse().read()
    assert info.value.partial == b"<h1>"


def test_all_of_it_is_as_the_standard_says() -> None:
    app: Callable[..., Any] = validator(EnvelopeMiddleware(validator(GATEWAY), ENGINE))
    for verb in ("GET", "HEAD", "POST", "PUT", "OPTIONS"):
        answer: Answer = called(app, environ_of(verb, "/openai/custom/", "", b"a=1" if verb == "POST" else b""))
        assert answer.status in (200, 204, 405)
    assert REGISTRY["4010"].http_status == 404
