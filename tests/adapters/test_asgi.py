from __future__ import annotations

import asyncio
import gzip
import threading
import zlib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.adapters.asgi import ASGIApp, EnvelopeApp, EnvelopeMiddleware, Message, Receive, Scope, Send
from envelope.answers.envelope import Envelope
from envelope.calls.engine import Engine
from envelope.calls.request import ApiRequest
from envelope.errors import RequestError
from envelope.formats import ResultType
from envelope.limits import Limits
from envelope.registry.languages import Lang
from tests.adapters.asgi_client import Answer, call, call_async
from tests.adapters.multipart_forms import TYPE, Part, written

FORM = "application/x-www-form-urlencoded"
SMALL = Limits(max_bytes=1000)


def parsed(answer: Answer, engine: Engine | None = None) -> Envelope[Any]:
    assert answer.is_complete
    assert answer.header("content-length") == str(len(answer.body))
    envelope = (engine or Engine()).parse(answer.body, answer.header("content-type"))
    assert not envelope.notes
    return envelope


async def echo(request: ApiRequest) -> Any:
    return {"method": request.method, **request.params, "files": [file.file.read().decode() for file in request.files]}


GATEWAY = EnvelopeApp(Engine(), echo)
WHERE = "/openai/custom/?result_type=serialize&lang=en"


# The gateway.


def test_a_gateway_answers_in_every_carrier() -> None:
    expected = {"method": "m", "q": "1", "files": []}
    url = "/openai/custom/"
    assert parsed(call(GATEWAY, url=f"{url}?method=m&q=1&result_type=xml")).response == expected
    body = b"method=m&q=1"
    for content_type, content in (
        (FORM, body),
        ("application/json", b'{"method":"m","q":"1"}'),
        (TYPE, written([Part(b"method", b"m"), Part(b"q", b"1")])),
    ):
        for encoding, encoded in (("", content), ("gzip", gzip.compress(content)), ("deflate", zlib.compress(content))):
            headers = {"Content-Type": content_type} | ({"Content-Encoding": encoding} if encoding else {})
            assert parsed(call(GATEWAY, "POST", url, headers=headers, body=encoded)).response == expected


def test_the_files_of_a_form_are_read_and_then_closed() -> None:
    seen: list[Any] = []

    def keep(request: ApiRequest) -> Any:
        seen.extend(request.files)
        return request.files[0].file.read().decode()

    body = written([Part(b"f", b"abc", b"f.txt")])
    answer = call(EnvelopeApp(Engine(), keep), "POST", WHERE, headers={"Content-Type": TYPE}, body=body)
    assert parsed(answer).response == "abc"
    assert seen[0].file.closed


def test_a_plain_handler_runs_in_a_thread_and_an_asynchronous_one_in_the_loop() -> None:
    def plain(request: ApiRequest) -> Any:
        return threading.current_thread() is threading.main_thread()

    async def later(request: ApiRequest) -> Any:
        return plain(request)

    class Handler:
        async def __call__(self, request: ApiRequest) -> Any:
            return plain(request)

    assert parsed(call(EnvelopeApp(Engine(), plain), url=WHERE)).response is False
    for handler in (later, Handler()):
        assert parsed(call(EnvelopeApp(Engine(), handler), url=WHERE)).response is True
    assert parsed(call(EnvelopeApp(Engine(), lambda request: later(request)), url=WHERE)).response is True


def test_head_has_the_headers_of_get_and_no_body() -> None:
    got, head = call(GATEWAY, "GET", WHERE), call(GATEWAY, "HEAD", WHERE)
    assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")


def test_other_verbs() -> None:
    options = call(GATEWAY, "OPTIONS", WHERE)
    assert (options.status, options.header("allow"), options.body) == (204, "GET, HEAD, POST, OPTIONS", b"")
    put = call(GATEWAY, "PUT", WHERE, body=b"x")
    assert (put.status, put.header("allow"), parsed(put).error_code) == (405, "GET, HEAD, POST, OPTIONS", "4010")


@pytest.mark.parametrize("name", ["gateway", "wrapper"])
@pytest.mark.parametrize(
    ("headers", "body", "status", "received"),
    [
        # The declared length is enough: a server then never says 100 Continue.
        ({"Content-Length": "1001", "Expect": "100-continue"}, b"", 413, 0),
        ({"Content-Length": "9" * 5000}, b"", 413, 0),
        ({"Transfer-Encoding": "chunked"}, [b"x" * 600] * 99, 413, 2),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"x" * 100_000, mtime=0), 413, 1),
        ({"Content-Encoding": "gzip"}, [gzip.compress(b"x" * 10**7, mtime=0)[:400], b"y"], 413, 1),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"a=1", mtime=0) + b"more", 400, 1),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"a=1", mtime=0)[:-1], 400, 1),
        ({"Content-Encoding": "deflate"}, b"a=1", 400, 1),
        ({"Content-Encoding": "br"}, b"a=1", 400, 0),
    ],
)
def test_a_body_is_bounded_while_it_arrives(
    name: str, headers: dict[str, str], body: Any, status: int, received: int
) -> None:
    engine = Engine(request_limits=SMALL)
    app = EnvelopeApp(engine, echo) if name == "gateway" else EnvelopeMiddleware(careless, engine)
    answer = call(app, "POST", WHERE, headers={"Content-Type": FORM, **headers}, body=body)
    assert (answer.status, answer.received) == (status, received)
    assert parsed(answer).error_code == "4003"
    assert answer.header("content-language") == "en"
    assert answer.header("content-type").startswith("application/vnd.php.serialized")


CALLS = st.sampled_from(
    [
        (FORM, b"method=m&q=%E5%90%8D&a[]=1"),
        ("application/json", '{"method":"m","q":"名"}'.encode()),
        ("application/json", b'{"method":'),
        (TYPE, written([Part(b"method", b"m"), Part(b"f", b"abc", b"f.txt")])),
        (TYPE, written([Part(b"method", b"m")])[:-9]),
    ]
)


@given(CALLS, st.lists(st.integers(0, 200), max_size=5), st.sampled_from(["", "gzip", "deflate"]))
def test_a_body_means_the_same_however_it_arrives(sent: tuple[str, bytes], cuts: list[int], encoding: str) -> None:
    content_type, body = sent
    headers = {"Content-Type": content_type}
    whole = call(GATEWAY, "POST", WHERE, headers=headers, body=body)
    if encoding:
        body = gzip.compress(body, mtime=0) if encoding == "gzip" else zlib.compress(body)
        headers["Content-Encoding"] = encoding
    edges = [0, *sorted(cuts), len(body)]
    pieces = [body[start:end] for start, end in pairwise(edges)]
    assert call(GATEWAY, "POST", WHERE, headers=headers, body=pieces) == Answer(
        whole.status, whole.headers, whole.body, is_complete=True, received=len(pieces)
    )


def test_nobody_is_answered_who_has_hung_up() -> None:
    for app in (GATEWAY, EnvelopeMiddleware(GATEWAY, Engine()), EnvelopeMiddleware(careless, Engine())):
        answer = call(app, "POST", WHERE, headers={"Content-Type": FORM}, body=[b"a=1"], is_cut=True)
        assert (answer.status, answer.body) == (0, b"")


def test_a_gateway_has_a_lifespan_and_no_websockets() -> None:
    sent: list[str] = []

    async def talk(kind: str, incoming: list[str]) -> None:
        async def receive() -> Message:
            return {"type": incoming.pop(0)}

        async def send(message: Message) -> None:
            sent.append(message["type"])

        await GATEWAY({"type": kind}, receive, send)

    asyncio.run(talk("lifespan", ["lifespan.startup", "lifespan.shutdown"]))
    asyncio.run(talk("websocket", ["websocket.connect"]))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close"]


def test_a_crash_of_the_handler_is_answered_and_told() -> None:
    told: list[Exception] = []

    def crash(request: ApiRequest) -> Any:
        raise KeyError("swordfish")

    answer = call(EnvelopeApp(Engine(on_error=told.append), crash), url=WHERE)
    assert (answer.status, parsed(answer).error_code, [type(error) for error in told]) == (500, "5000", [KeyError])
    assert b"swordfish" not in answer.body


UNUSUAL = [StopIteration(), StopAsyncIteration(), asyncio.CancelledError(), ExceptionGroup("two", [KeyError("x")])]


@pytest.mark.parametrize("error", UNUSUAL, ids=lambda error: type(error).__name__)
def test_a_crash_is_answered_whatever_is_raised(error: BaseException) -> None:
    def plain(request: ApiRequest) -> Any:
        raise error

    async def later(request: ApiRequest) -> Any:
        raise error

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    for each in (
        EnvelopeApp(Engine(), plain),
        EnvelopeApp(Engine(), later),
        EnvelopeApp(Engine(), lambda request: later(request)),
        EnvelopeMiddleware(app, Engine()),
    ):
        answer = asyncio.run(asyncio.wait_for(call_async(each, "GET", WHERE), 30))
        assert (answer.status, parsed(answer).error_code) == (500, "5000")


@pytest.mark.parametrize("is_gateway", [True, False])
def test_a_call_that_is_cancelled_is_not_answered(is_gateway: bool) -> None:
    begun = asyncio.Event()

    async def wait(*_: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    async def cancelled() -> None:
        app = EnvelopeApp(Engine(), wait) if is_gateway else EnvelopeMiddleware(wait, Engine())
        task = asyncio.ensure_future(call_async(app, "GET", WHERE))
        await begun.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(cancelled())


# The wrapper.


async def careless(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body, hides what goes wrong, and answers all the same."""
    try:
        while (message := await receive()).get("more_body"):
            pass
        if message["type"] == "http.disconnect":
            return
    except RequestError:
        pass
    await answer_with(200, b"fine")(scope, receive, send)


async def careless_failure(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body, and fails."""
    while (await receive()).get("more_body"):
        pass
    await answer_with(500, b"")(scope, receive, send)


def answer_with(status: int, *bodies: bytes, headers: dict[str, str] | None = None, error: Exception | None = None) -> ASGIApp:  # fmt: skip
    """Answers so; raises *error* after the bodies, the last of which is then not the end."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        for place, body in enumerate(bodies):
            more = error is not None or place < len(bodies) - 1
            await send({"type": "http.response.body", "body": body, "more_body": more})
        if error is not None:
            raise error

    return app


def raising(error: Exception) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    return app


async def silent(scope: Scope, receive: Receive, send: Send) -> None:
    """Returns without an answer."""


HTML = {"Content-Type": "text/html", "Content-Length": "6"}
JSON = {"Content-Type": "application/json"}
FAILURES: list[tuple[ASGIApp, int, str]] = [
    (answer_with(404, b"<html>", headers=HTML), 404, "4010"),
    (answer_with(405, b""), 405, "4010"),
    (answer_with(413, b"too", b" large"), 413, "4003"),
    (answer_with(422, b'{"detail":[]}', headers=JSON), 422, "4003"),
    (answer_with(429, b'{"error_code":1}', headers=JSON), 429, "4008"),
    (answer_with(503, b"\0" * (2 * 1024 * 1024), headers=JSON), 503, "4009"),
    (answer_with(500, b"<html>", headers=HTML, error=KeyError("x")), 500, "5000"),
    (answer_with(500, gzip.compress(b"{}"), headers=JSON | {"Content-Encoding": "gzip"}), 500, "5000"),
    (raising(KeyError("x")), 500, "5000"),
    (raising(RequestError("no", code="4015", path="$.pageToken")), 400, "4015"),
    (silent, 500, "5000"),
]


@pytest.mark.parametrize("failure", range(len(FAILURES)))
@pytest.mark.parametrize("name", list(ResultType))
def test_every_failure_is_an_envelope(failure: int, name: ResultType) -> None:
    app, status, code = FAILURES[failure]
    engine = Engine(on_error=lambda error: None)
    wrapped = EnvelopeMiddleware(app, engine)
    for lang in Lang:
        headers = {"Accept-Language": lang.tag}
        answer = call(wrapped, url=f"/a?result_type={name}", headers=headers)
        assert (answer.status, parsed(answer, engine).error_code) == (status, code)
        assert parsed(answer).reason.startswith(str(engine.messages.text(code, lang)))
        assert answer.header("content-language") == lang.tag
        for content_type, body in ((FORM, f"lang={lang}&result_type={name}"), ("application/json", f'{{"lang":"{lang}","result_type":"{name}"}}')):  # fmt: skip
            # Even if the application never read it.
            assert call(wrapped, "POST", "/a", headers={"Content-Type": content_type}, body=[body[:5].encode(), body[5:].encode()]).body == answer.body  # fmt: skip
        head = call(wrapped, "HEAD", f"/a?result_type={name}", headers=headers)
        assert (head.headers, head.body) == (answer.headers, b"")
    always = call(
        EnvelopeMiddleware(app, Engine(statuses="ok", on_error=lambda error: None)), url=f"/a?result_type={name}"
    )
    assert (always.status, parsed(always).error_code) == (200, code)


def test_a_multipart_form_may_say_in_which_format_and_language() -> None:
    body = written([Part(b"result_type", b"xml"), Part(b"lang", b"ru"), Part(b"f", b"abc", b"f.txt")])
    headers = {"Content-Type": TYPE}
    for app in (answer_with(404, b""), raising(RequestError("no")), careless_failure):
        wrapped = EnvelopeMiddleware(app, Engine())
        answer = call(wrapped, "POST", headers=headers, body=[body[:30], body[30:]])
        assert answer.header("content-type") == "application/xml; charset=utf-8"
        assert answer.header("content-language") == "ru"
    # One that cannot be read says nothing.
    cut = call(EnvelopeMiddleware(answer_with(404, b""), Engine()), "POST", headers=headers, body=body[:-9])
    assert (cut.header("content-type"), cut.header("content-language")) == ("application/json", "zh-Hans")


def test_no_more_of_a_form_is_read_for_its_format_than_a_call_without_files_has() -> None:
    body = written([Part(b"f", b"x" * 900, b"f.txt"), Part(b"result_type", b"xml")])
    wrapped = EnvelopeMiddleware(answer_with(404, b""), Engine(request_limits=SMALL))
    pieces = [body[start : start + 300] for start in range(0, len(body), 300)] + [b""] * 9
    answer = call(wrapped, "POST", headers={"Content-Type": TYPE, "Transfer-Encoding": "chunked"}, body=pieces)
    assert (answer.status, answer.received, answer.header("content-type")) == (404, 4, "application/json")


def test_headers_that_do_not_describe_the_body_are_kept() -> None:
    kept = {"Allow": "GET", "Retry-After": "7", "WWW-Authenticate": "Basic", "Set-Cookie": "a=b", "Vary": "Origin", "Access-Control-Allow-Origin": "*"}  # fmt: skip
    answer = call(EnvelopeMiddleware(answer_with(429, b"<html>", headers=HTML | kept | {"ETag": "x", "Content-Encoding": "gzip"}), Engine()))  # fmt: skip
    for name, value in kept.items():
        assert value in answer.header(name)
    assert (answer.header("etag"), answer.header("content-encoding")) == ("", "")
    assert (answer.header("content-type"), answer.header("vary")) == (
        "application/json",
        "Accept, Accept-Language, Origin",
    )


@pytest.mark.parametrize("name", list(ResultType))
def test_an_envelope_passes_as_it_is(name: ResultType) -> None:
    url = f"/a/b?result_type={name}&key="
    poor = EnvelopeApp(Engine(), lambda request: Envelope.fail("4016", reason="mine", extras={"cache": 1}))
    for method in ("GET", "HEAD"):
        assert call(EnvelopeMiddleware(poor, Engine()), method, url) == call(poor, method, url)


@pytest.mark.parametrize("status", [200, 204, 302, 304])
def test_what_is_no_failure_passes_untouched(status: int) -> None:
    inner = answer_with(status, b"a", b"", b"b", headers={"X": "y"})
    assert call(EnvelopeMiddleware(inner, Engine())) == call(inner)


def test_a_crash_after_the_first_byte_breaks_the_connection_off() -> None:
    told: list[Exception] = []
    app = EnvelopeMiddleware(answer_with(200, b"half", error=KeyError("x")), Engine(on_error=told.append))
    with pytest.raises(KeyError):
        call(app)
    assert not told  # the server reports it


def test_a_crash_is_told_once() -> None:
    told: list[Exception] = []
    engine = Engine(on_error=told.append)
    call(EnvelopeMiddleware(answer_with(500, b"<html>", error=KeyError("x")), engine))
    call(EnvelopeMiddleware(raising(KeyError("x")), engine))
    call(EnvelopeMiddleware(silent, engine))
    assert [type(error) for error in told] == [KeyError, KeyError, RuntimeError]


def test_options_is_answered_unless_the_application_does() -> None:
    app = EnvelopeMiddleware(answer_with(405, b"no", headers={"Allow": "GET, POST"}), Engine())
    answer = call(app, "OPTIONS")
    assert (answer.status, answer.header("allow"), answer.body) == (204, "GET, POST, OPTIONS", b"")
    own = answer_with(200, b"", headers={"Access-Control-Allow-Methods": "GET"})
    assert call(EnvelopeMiddleware(own, Engine()), "OPTIONS") == call(own, "OPTIONS")
    assert parsed(call(EnvelopeMiddleware(answer_with(404, b""), Engine()), "OPTIONS")).error_code == "4010"


def test_the_application_gets_the_body_decompressed() -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(dict(scope["headers"]).keys())
        seen.append((await receive())["body"])
        await answer_with(200, b"")(scope, receive, send)

    headers = {"Content-Encoding": "gzip", "Content-Type": FORM}
    call(EnvelopeMiddleware(app, Engine()), "POST", headers=headers, body=gzip.compress(b"a=1"))
    assert seen == [{b"content-type"}, b"a=1"]


def test_an_unknown_format_is_answered_in_json() -> None:
    answer = call(EnvelopeMiddleware(answer_with(404, b""), Engine()), url="/?result_type=yaml&lang=en")
    assert (answer.header("content-type"), parsed(answer).error_code) == ("application/json", "4010")


def test_other_protocols_pass_untouched() -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, receive, send))

    async def nothing(*_: Any) -> Any: ...

    for kind in ("lifespan", "websocket"):
        scope = {"type": kind}
        asyncio.run(EnvelopeMiddleware(app, Engine())(scope, nothing, nothing))
        assert seen.pop() == (scope, nothing, nothing)


def test_calls_at_the_same_time_do_not_mix() -> None:
    async def all_at_once() -> list[Answer]:
        return await asyncio.gather(*(call_async(GATEWAY, "GET", f"/a/b/?n={n}") for n in range(50)))

    assert [parsed(answer).response["n"] for answer in asyncio.run(all_at_once())] == [str(n) for n in range(50)]
