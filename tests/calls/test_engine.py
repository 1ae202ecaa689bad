"""The engine: any request gets an envelope that its caller can read, and any answer is read back."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

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
from envelope.calls.http import HttpRequest, Rendered
from envelope.calls.media import content_type_of, format_of_content_type
from envelope.calls.request import ApiRequest
from envelope.calls.signing import sign
from envelope.registry.codes import REGISTRY
from envelope.registry.messages import Messages
from envelope.testing.strategies import values
from tests.strategies import requests

BASE = "key=k&secret=s&api_name=custom"
ENGINE = Engine(apis={"custom"})


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
    answer = parsed(ENGINE.answer(HttpRequest(query=query, accept_language="en"), lambda request: 1))
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
    with pytest.raises(TypeError, match="go together"):
        Engine(secrets=lambda key: None)


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
    with pytest.raises(ZeroDivisionError):
        ENGINE.answer(HttpRequest(query=BASE), lambda request: 1 / 0)
    with pytest.raises(EncodeError):
        ENGINE.respond(ApiRequest(key="k", api_name="custom"), object())


def test_a_refusal_ignores_the_limits_of_payloads() -> None:
    engine = Engine(limits=Limits(max_depth=1, max_bytes=10, max_items=2))
    rendered = engine.answer(HttpRequest(query=f"{BASE}&lang=fr"), lambda request: 1)
    assert parsed(rendered, Engine()).error_code == "4003"
