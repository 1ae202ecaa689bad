"""The engine: any request gets an envelope that its caller can read, and any answer is read back."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from io import BytesIO
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import (
    DecodeError,
    EncodeError,
    Envelope,
    Lang,
    Limits,
    RequestError,
    RequestIds,
    ResultType,
    UnknownFormat,
    ValidationError,
)
from envelope.calls.engine import Engine
from envelope.calls.http import HttpRequest, Rendered, Upload
from envelope.calls.media import content_type_of, format_of_content_type
from envelope.calls.payloads import plain
from envelope.calls.request import ApiRequest
from envelope.calls.signing import sign
from envelope.calls.statuses import code_of_status
from envelope.registry.codes import REGISTRY
from envelope.registry.messages import Messages
from envelope.testing.strategies import values
from tests.strategies import requests

BASE = "key=k&secret=s&api_name=custom"
ENGINE = Engine(apis={"custom"})
ACCOUNTS = Engine(apis={"custom"}, secrets={"k": "s"}.get, clock=time.time_ns)


def parsed(rendered: Rendered, engine: Engine = ENGINE) -> Envelope[Any]:
    return engine.parse(rendered.body, rendered.headers["Content-Type"])


@given(requests(), values(max_leaves=10))
def test_what_is_answered_is_read_back(request: ApiRequest, payload: Any) -> None:
    engine = Engine(request_id=RequestIds(time.time_ns), last_id=lambda: "1593583206", maps="object")
    rendered = engine.respond(request, payload)
    answer = parsed(rendered)
    assert envelope.same(answer.response, payload)
    assert (answer.error_code, answer.last_id, rendered.status) == ("0000", "1593583206", 200)
    assert answer.request_id.startswith("1.")
    assert rendered.headers["Content-Type"] == content_type_of(request.result_type)
    assert rendered.headers["Content-Language"] == {"cn": "zh-Hans", "en": "en", "ru": "ru"}[request.lang]


@given(
    st.builds(
        HttpRequest,
        path=st.sampled_from(["", "/openai/custom/", "/openai/other/"]) | st.text(max_size=8),
        query=st.sampled_from([BASE, "key=k", f"{BASE}&lang=fr", f"{BASE}&result_type=yaml&lang=ru", "result_type=xml"])
        | st.binary(max_size=20),
        body=st.sampled_from([b"", b"{", b"\xff", b'{"lang":"en"}', b"[[["]) | st.binary(max_size=20),
        content_type=st.sampled_from(["", "application/json", "application/x-www-form-urlencoded", "image/png"]),
        accept=st.sampled_from(["", "application/xml", "text/x-php", "*/*"]),
        accept_language=st.sampled_from(["", "ru", "fr"]),
    )
)
def test_any_request_is_answered(http: HttpRequest) -> None:
    asked: list[ApiRequest] = []

    def handler(request: ApiRequest) -> Any:
        asked.append(request)
        return {"id": 1}

    rendered = ENGINE.answer(http, handler)
    answer = parsed(rendered)
    assert answer.error_code in ("0000", "4003", "4010", "4014")
    assert (answer.error_code == "0000") == bool(asked)
    assert rendered.status == REGISTRY[answer.error_code].http_status
    assert answer.notes == ()
    if not asked:
        assert answer.error == REGISTRY[answer.error_code].message
        lang = {"zh-Hans": "cn"}.get(rendered.headers["Content-Language"], rendered.headers["Content-Language"])
        assert answer.reason.startswith(REGISTRY[answer.error_code].text(lang))


@pytest.mark.parametrize(
    ("query", "code", "reason"),
    [
        ("lang=en", "4014", "A parameter is missing: key"),
        (f"{BASE}&lang=ru&cache=x", "4003", "Неверное значение параметра: cache"),
        (f"{BASE}&_o_args=%7B%22a%22%3A%5B1%2C&lang=en", "4003", "A parameter has an invalid value: _o_args.a[1]"),
        ("key=k&secret=s&api_name=other", "4010", "There is no such API: api_name"),
        (
            f"{BASE}&lang=en&a=\0",
            "4003",
            "A parameter has an invalid value: the query string cannot be read at byte 41: a NUL byte",
        ),
    ],
)
def test_the_reason_is_in_the_callers_language(query: str, code: str, reason: str) -> None:
    answer = parsed(ACCOUNTS.answer(HttpRequest(query=query, accept_language="en"), lambda request: 1))
    assert (answer.error_code, answer.error, answer.reason, answer.response) == (
        code,
        REGISTRY[code].message,
        reason,
        [],
    )


def test_an_unknown_result_type_is_answered_in_json() -> None:
    rendered = ENGINE.answer(HttpRequest(query=f"{BASE}&result_type=yaml", accept="application/xml"), lambda request: 1)
    assert rendered.headers["Content-Type"] == "application/json"
    assert (rendered.status, parsed(rendered).error_code) == (400, "4003")


def test_each_format_has_a_content_type_of_its_own() -> None:
    assert len({content_type_of(name) for name in ResultType}) == 5
    for name in ResultType:
        found = format_of_content_type(content_type_of(name))
        assert found == ("json" if name == "jsonu" else name)
    assert format_of_content_type("application/problem+json") == "json"
    assert format_of_content_type('application/soap+xml; charset="UTF-8"') == "xml"
    assert format_of_content_type("TEXT/XML;CHARSET=utf8") == "xml"
    for unknown in ("", "text/html; charset=utf-8", "application/octet-stream", "+"):
        with pytest.raises(UnknownFormat, match="give the result_type"):
            format_of_content_type(unknown)
    with pytest.raises(DecodeError, match="a charset other than UTF-8"):
        format_of_content_type("application/json; charset=gbk")


def test_parse_goes_by_the_format_that_was_asked_for() -> None:
    body = envelope.encode(Envelope.ok([1]), "serialize")
    assert ENGINE.parse(body, "text/html", result_type="serialize").response == [1]
    with pytest.raises(DecodeError):
        ENGINE.parse(body, "application/json")
    with pytest.raises(ValidationError):
        ENGINE.parse(b"[1]", "application/json")
    with pytest.raises(UnknownFormat):
        ENGINE.parse(body, result_type="yaml")


def test_only_blank_fields_of_an_envelope_are_filled_in() -> None:
    engine = Engine(request_id=lambda: "1.0", last_id=lambda: "7")
    asker = ApiRequest(key="k", api_name="custom", lang=Lang.RU)
    answer = parsed(engine.respond(asker, Envelope.fail("4008")))
    assert (answer.error, answer.reason) == ("API rate limit exceeded", REGISTRY["4008"].ru)
    assert (answer.request_id, answer.last_id) == ("1.0", "7")
    own = Envelope.fail("4008", error="e", reason="r", request_id="1.1", last_id="8", extras={"cache": "no"})
    rendered = engine.respond(asker, own)
    assert parsed(rendered) == own
    assert rendered.status == 429
    assert parsed(engine.fail(asker, "4008", reason="x")).reason == "x"
    unknown = engine.fail(asker, "7777")
    assert (unknown.status, parsed(unknown).error_code) == (500, "7777")
    success = parsed(engine.respond(asker, Envelope(response=[], error_code="2000")))
    assert (success.error, success.reason) == ("", "")


def test_an_operators_own_codes_texts_and_statuses() -> None:
    registry = REGISTRY.override("4003", http_status=200)
    engine = Engine(messages=Messages(registry, hooks={"en": {"4003": "Please look again"}}))
    rendered = engine.answer(HttpRequest(query=f"{BASE}&cache=x&lang=en"), lambda request: 1)
    assert (rendered.status, parsed(rendered).reason) == (200, "Please look again: cache")


def test_an_engine_answers_byte_for_byte_like_a_php_gateway() -> None:
    engine = Engine(dialects={"json": "php", "jsonu": "php", "xml": "plain"}, payload="item")
    asker = ApiRequest(key="k", api_name="item_get", result_type=ResultType.JSONU)
    rendered = engine.respond(asker, {"price": 1.0, "url": "a/b", "empty": {}})
    assert rendered.body.startswith(b'{"item":{"price":1,"url":"a\\/b","empty":[]},"error":""')
    assert parsed(rendered, engine).response == {"price": 1, "url": "a/b", "empty": []}
    plain = engine.respond(replace(asker, result_type=ResultType.XML), [1])
    assert b"type=" not in plain.body
    assert parsed(plain, engine).response == ["1"]


@pytest.mark.parametrize(
    ("query", "code", "path"),
    [
        ("key=mine&secret=s3cret&api_name=custom", "0000", ""),
        ("key=mine&secret=wrong&api_name=custom&lang=en", "4005", "secret"),
        ("key=other&secret=s3cret&api_name=custom&lang=en", "4004", "key"),
        ("key=mine&sign=ABC&api_name=custom&lang=en", "4005", "sign"),
    ],
)
def test_callers_prove_who_they_are_if_secrets_are_given(query: str, code: str, path: str) -> None:
    engine = Engine(secrets={"mine": "s3cret"}.get, clock=time.time_ns)
    answer = parsed(engine.answer(HttpRequest(query=query), lambda request: 1))
    assert answer.error_code == code
    assert answer.reason == (f"{REGISTRY[code].en}: {path}" if path else "")
    assert "s3cret" not in repr(engine)


def test_a_refusal_is_in_the_format_requested() -> None:
    engine = Engine(secrets={"mine": "s3cret"}.get, clock=time.time_ns)
    rendered = engine.answer(
        HttpRequest(query="key=mine&secret=x&api_name=custom&result_type=xml&lang=ru"), lambda request: 1
    )
    assert rendered.headers["Content-Type"] == "application/xml; charset=utf-8"
    assert rendered.headers["Vary"] == "Accept, Accept-Language"
    assert parsed(rendered, engine).reason == f"{REGISTRY['4005'].ru}: secret"


def test_a_handler_may_refuse_too() -> None:
    def handler(request: ApiRequest) -> Any:
        raise RequestError("too long", path="$.q")

    rendered = ENGINE.answer(HttpRequest(query=f"{BASE}&result_type=serialize&lang=en"), handler)
    assert rendered.headers["Content-Type"].startswith("application/vnd.php.serialized")
    assert parsed(rendered).reason == "A parameter has an invalid value: q"
    poor = ENGINE.answer(HttpRequest(query=BASE), lambda request: Envelope.fail("4016"))
    assert (poor.status, parsed(poor).reason) == (402, "余额不足")


def test_limits_hold_for_what_is_read_and_written_and_parsed() -> None:
    engine = Engine(limits=Limits(max_depth=2))
    asker = ApiRequest(key="k", api_name="custom")
    with pytest.raises(EncodeError, match="nested deeper"):
        engine.respond(asker, [[1]])
    with pytest.raises(DecodeError, match="nested deeper"):
        engine.parse(b'{"response":[[1]]}', "application/json")
    http = HttpRequest(query=f"{BASE}&a[b][c]=1")
    assert parsed(engine.answer(http, lambda request: 1)).error_code == "0000"
    narrow = Engine(request_limits=Limits(max_depth=2))
    assert parsed(narrow.answer(http, lambda request: 1)).error_code == "4003"
    assert parsed(narrow.answer(HttpRequest(query=BASE), lambda request: [[1]])).response == [[1]]


def test_a_signed_call_is_let_in_until_it_is_old() -> None:
    now = time.time_ns()
    signed = sign(ApiRequest(key="mine", api_name="custom", params={"q": "x"}), "s3cret", lambda: now)
    for later, code in ((0, "0000"), (29, "0000"), (31, "4005")):
        engine = Engine(secrets={"mine": "s3cret"}.get, clock=lambda: now + later * 10**9, window=30)  # noqa: B023  # called at once
        assert parsed(engine.answer(signed.write("form"), lambda request: 1)).error_code == code
    with pytest.raises(TypeError, match=r"secrets and clock .* go together"):
        Engine(secrets=lambda key: None)


@pytest.mark.parametrize(
    ("setting", "match"),
    [
        ({"apis": "custom"}, r'apis are a collection, like \{"custom"\}'),  # else "cust" would be one
        ({"secrets": {"k": "s"}, "clock": time.time_ns}, "secrets is a function"),
        ({"secrets": {"k": "s"}.get}, "clock=time.time_ns"),
    ],
)
def test_what_is_no_setting(setting: dict[str, Any], match: str) -> None:
    with pytest.raises(TypeError, match=match):
        Engine(**setting)


def test_a_clock_in_seconds_is_a_fault_of_the_server_and_not_of_the_caller() -> None:
    request = ApiRequest(key="mine", api_name="custom")
    engine = Engine(secrets={"mine": "s"}.get, clock=time.time)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"nanoseconds.*time\.time_ns"):
        engine.read(sign(request, "s", time.time_ns).write("form"))
    with pytest.raises(TypeError, match=r"nanoseconds.*time\.time_ns"):
        sign(request, "s", time.time)  # type: ignore[arg-type]


def test_a_payload_that_cannot_be_written_is_a_servers_fault() -> None:
    told: list[Exception] = []
    engine = Engine(on_error=told.append)
    rendered = engine.answer(HttpRequest(query=f"{BASE}&lang=en"), lambda request: object())
    assert (rendered.status, parsed(rendered).error_code, len(told)) == (500, "4000", 1)
    deep = b'{"a":' + b"[" * 199 + b"]" * 199 + b"}"
    echoed = ENGINE.answer(
        HttpRequest(query=BASE, body=deep, content_type="application/json"), lambda request: request.params
    )
    assert parsed(echoed).error_code == "4000"
    with pytest.raises(EncodeError):
        ENGINE.respond(ApiRequest(key="k", api_name="custom"), object())


def test_a_refusal_ignores_the_limits_of_payloads() -> None:
    engine = Engine(limits=Limits(max_depth=1, max_bytes=10, max_items=2))
    rendered = engine.answer(HttpRequest(query=f"{BASE}&lang=fr"), lambda request: 1)
    assert parsed(rendered, Engine()).error_code == "4003"


def test_without_accounts_a_call_needs_no_key() -> None:
    answer = parsed(ENGINE.answer(HttpRequest(query="api_name=custom"), lambda request: [request.key, request.secret]))
    assert answer.response == ["", ""]
    with pytest.raises(RequestError) as info:
        ACCOUNTS.read(HttpRequest(query="api_name=custom"))
    assert (info.value.code, info.value.path) == ("4014", "$.key")


@pytest.mark.parametrize(
    ("http", "expected"),
    [
        (HttpRequest(path="/any/where/at/all"), ("xml", "ru")),
        (HttpRequest(query="result_type=serialize&lang=en"), ("serialize", "en")),
        (HttpRequest(query="lang=en", body=b"result_type=jsonu", content_type="application/x-www-form-urlencoded"), ("jsonu", "en")),
        (HttpRequest(body=b'{"lang":"cn","result_type":"var_export"}', content_type="application/json"), ("var_export", "cn")),
        (HttpRequest(accept="application/json", accept_language="en"), ("json", "en")),
        (HttpRequest(accept="image/png, */*;q=0.1", accept_language="fr"), ("xml", "ru")),
        # What cannot be read is somebody else's matter.
        (HttpRequest(query="result_type=json&lang=cn&a=\0"), ("json", "cn")),
        (HttpRequest(query="lang=en", body=b"\x89PNG", content_type="image/png"), ("xml", "en")),
        (HttpRequest(query="lang=en", body=b"{", content_type="application/json"), ("xml", "en")),
    ],
)  # fmt: skip
def test_a_servers_own_routes_ask_for_format_and_language_alone(http: HttpRequest, expected: tuple[str, str]) -> None:
    engine = Engine(result_type="xml", lang="ru")
    caller = engine.caller(http)
    assert (caller.result_type, caller.lang) == expected
    assert parsed(engine.respond(caller, [1]), engine).response == [1]


@pytest.mark.parametrize(
    ("query", "path"),
    [("result_type=yaml&lang=en", "result_type"), ("lang=fr&result_type=xml", "lang"), ("lang[]=en", "lang")],
)
def test_an_unknown_format_or_language_is_never_passed_over(query: str, path: str) -> None:
    with pytest.raises(RequestError) as info:
        Engine().caller(HttpRequest(query=query))
    assert (info.value.code, info.value.path) == ("4003", f"$.{path}")
    assert (info.value.result_type, info.value.lang) == (
        ("json", "en") if path == "result_type" else ("xml" if "xml" in query else "json", "cn")
    )


def test_what_a_handler_raises_is_told_to_the_server_and_not_to_the_caller(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Exception] = []
    engine = Engine(on_error=told.append)

    def crash(request: ApiRequest) -> Any:
        raise KeyError("the password is swordfish")

    async def crash_later(request: ApiRequest) -> Any:
        return crash(request)

    http = HttpRequest(query=f"{BASE}&result_type=xml&lang=ru")
    for rendered in (engine.answer(http, crash), asyncio.run(engine.answer_async(http, crash_later))):
        answer = parsed(rendered, engine)
        assert (answer.error_code, rendered.status) == ("5000", 500)
        assert answer.reason == REGISTRY["5000"].ru
        assert b"swordfish" not in rendered.body
    assert [type(error) for error in told] == [KeyError, KeyError]
    assert parsed(Engine().answer(http, crash)).error_code == "5000"
    assert "swordfish" in caplog.text


def test_a_handler_may_refuse_a_call_in_the_callers_format_and_language() -> None:
    def refuse(request: ApiRequest) -> Any:
        raise RequestError("no such model", code="4010", path="$.model")

    async def refuse_later(request: ApiRequest) -> Any:
        return refuse(request)

    http = HttpRequest(query=f"{BASE}&result_type=serialize&lang=en")
    for rendered in (ENGINE.answer(http, refuse), asyncio.run(ENGINE.answer_async(http, refuse_later))):
        answer = parsed(rendered)
        assert rendered.headers["Content-Language"] == "en"
        assert (answer.error_code, answer.reason) == ("4010", "There is no such API: model")


def broken(*_: Any) -> Any:
    raise OSError("the password is swordfish")


def seven(request: ApiRequest) -> Any:
    return 7


@pytest.mark.parametrize(
    ("engine", "handler"),
    [
        (replace(ACCOUNTS, secrets=broken), seven),
        (replace(ENGINE, request_id=broken), seven),
        (replace(ENGINE, last_id=broken), seven),
        (replace(ENGINE, request_id=broken, last_id=broken), broken),
        (replace(ENGINE, on_error=broken), broken),
    ],
)
@pytest.mark.parametrize("name", list(ResultType))
def test_a_call_is_answered_whatever_of_the_servers_own_fails(
    engine: Engine, handler: Any, name: ResultType, caplog: pytest.LogCaptureFixture
) -> None:
    http = HttpRequest(query=f"{BASE}&result_type={name}&lang=en")
    for rendered in (engine.answer(http, handler), asyncio.run(engine.answer_async(http, handler))):
        answer = parsed(rendered, engine)
        assert (answer.error_code, rendered.status, rendered.headers["Content-Language"]) == ("5000", 500, "en")
        assert b"swordfish" not in rendered.body
    assert "swordfish" in caplog.text


def test_who_asks_for_an_unknown_format_is_answered_though_accounts_cannot_be_looked_up() -> None:
    http = HttpRequest(query=f"{BASE}&result_type=yaml")
    assert parsed(replace(ACCOUNTS, secrets=broken).answer(http, seven)).error_code == "4003"


@given(st.text(st.characters()), st.sampled_from(list(ResultType)), st.sampled_from(["typed", "plain"]))
def test_a_refusal_goes_out_whatever_its_reason(reason: str, name: ResultType, dialect: Any) -> None:
    engine = replace(ENGINE, dialects={ResultType.XML: dialect})

    def refuse(request: ApiRequest) -> Any:
        raise RequestError(reason)

    http = HttpRequest(query=f"{BASE}&result_type={name}&lang=en")
    for rendered in (
        engine.answer(http, refuse),
        engine.fail(engine.caller(http), "4003", error=reason, reason=reason),
    ):
        assert (parsed(rendered, engine).error_code, rendered.status) == ("4003", 400)


@pytest.mark.parametrize("handler", [lambda request: 7, None])
def test_an_asynchronous_handler_answers_as_a_plain_one(handler: Any) -> None:
    async def later(request: ApiRequest) -> Any:
        await asyncio.sleep(0)
        return 7

    http = HttpRequest(query=f"{BASE}&result_type=xml")
    assert asyncio.run(ENGINE.answer_async(http, handler or later)) == ENGINE.answer(http, lambda request: 7)
    wrong = HttpRequest(query="result_type=yaml")
    assert asyncio.run(ENGINE.answer_async(wrong, handler or later)) == ENGINE.answer(wrong, lambda request: 7)


def test_every_failure_may_have_the_status_200() -> None:
    engine = Engine(statuses="ok")
    request = ApiRequest(key="k", api_name="custom")
    for row in REGISTRY:
        assert engine.fail(request, row.code).status == 200
        assert ENGINE.fail(request, row.code).status == row.http_status
    assert engine.fail(request, "4010", status=405).status == 200
    assert ENGINE.fail(request, "4010", status=405).status == 405
    wrong: Any = "all"
    with pytest.raises(ValueError, match="registry or ok"):
        Engine(statuses=wrong)


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_has_a_code_whose_fault_is_on_the_same_side(status: int) -> None:
    row = REGISTRY[code_of_status(status)]
    assert not row.is_success
    assert row.http_status // 100 == status // 100 or status in (408, 504)


@dataclass
class Point:
    x: int
    y: Decimal


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize("name", list(ResultType))
def test_payloads_are_what_programs_have(name: ResultType) -> None:
    payload = {
        "when": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "day": date(2026, 1, 2),
        "price": Decimal("1.10"),
        "id": UUID(int=7),
        "colour": Colour.RED,
        "points": (Point(1, Decimal(2)),),
        "set": {1},
        "map": MappingProxyType({"a": 1}),
    }
    answer = parsed(ENGINE.answer(HttpRequest(query=f"{BASE}&result_type={name}"), lambda request: payload))
    assert answer.response == {
        "when": "2026-01-02T03:04:05+00:00",
        "day": "2026-01-02",
        "price": "1.10",
        "id": "00000000-0000-0000-0000-000000000007",
        "colour": "red",
        "points": [{"x": 1, "y": "2"}],
        "set": [1],
        "map": {"a": 1},
    }


def test_models_are_maps_of_their_fields() -> None:
    pydantic, msgspec, attrs = (pytest.importorskip(name) for name in ("pydantic", "msgspec", "attrs"))
    model = pydantic.create_model("Model", a=(int, ...))
    struct = msgspec.defstruct("Struct", [("a", int)])
    attribute = attrs.make_class("Attribute", ["a"])
    for made in (model(a=1), struct(a=1), attribute(a=1)):
        assert plain(made) == {"a": 1}
    for other in (object(), model, Point, 1j):
        with pytest.raises(TypeError, match="is not a value"):
            plain(other)


def test_files_are_handed_on() -> None:
    upload = Upload(name="image", filename="../a.png", content_type="image/png", size=3, file=BytesIO(b"abc"))
    http = HttpRequest(query=BASE, files=(upload,))
    assert ENGINE.read(http).files == (upload,)
    assert "BytesIO" not in repr(ENGINE.read(http))
