"""What a server's own failures become."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope import Envelope, Lang, RequestError, ResultType
from envelope.adapters.http_failures import asker_of, fail, is_envelope, refuse, written_headers
from envelope.adapters.multipart import TooLarge
from envelope.calls.caller import Caller
from envelope.calls.engine import Engine
from envelope.calls.http import HttpRequest
from envelope.calls.statuses import code_of_status

ENGINE = Engine()
CALLERS = st.builds(Caller, st.sampled_from(ResultType), st.sampled_from(Lang))


@given(CALLERS, st.integers(400, 999), st.sampled_from(["", "no such order"]))
def test_a_status_keeps_its_number_and_has_a_code(caller: Caller, status: int, reason: str) -> None:
    rendered = fail(ENGINE, caller, status, reason=reason)
    answer = ENGINE.parse(rendered.body, rendered.headers["Content-Type"])
    assert (rendered.status, answer.error_code) == (status, code_of_status(status))
    assert answer.reason == (reason or str(ENGINE.messages.text(answer.error_code, caller.lang)))
    assert fail(Engine(statuses="ok"), caller, status).status == 200


@pytest.mark.parametrize(("error", "status"), [(RequestError("x"), 400), (TooLarge("x"), 413)])
def test_a_body_that_cannot_be_read_has_the_status_of_http(error: RequestError, status: int) -> None:
    assert refuse(ENGINE, Caller(), error).status == status
    assert refuse(Engine(statuses="ok"), Caller(), error).status == 200


def test_somebody_is_always_answered() -> None:
    assert asker_of(ENGINE, HttpRequest(query="result_type=xml&lang=ru")) == Caller(ResultType.XML, Lang.RU)
    asker = asker_of(ENGINE, HttpRequest(query="result_type=yaml&lang=ru"))
    assert (asker.result_type, asker.lang) == ("json", "ru")


@given(CALLERS, st.sampled_from(["4003", "5000", "4016"]), st.booleans())
def test_what_the_engine_writes_is_known(caller: Caller, code: str, is_plain: bool) -> None:
    engine = Engine(payload="item", dialects={"json": "php", "xml": "plain"} if is_plain else {})
    rendered = engine.fail(caller, code)
    headers = list(rendered.headers.items())
    assert is_envelope(engine, headers, rendered.body)
    # Without a body that can be looked at, the headers say so.
    assert is_envelope(engine, headers, b"", is_head=True)
    assert is_envelope(engine, [*headers, ("Content-Encoding", "br")], b"?")
    assert not is_envelope(engine, headers, b"")
    assert not is_envelope(engine, headers, rendered.body[:-3])
    success = engine.respond(caller, Envelope.ok(1))
    assert not is_envelope(engine, list(success.headers.items()), success.body)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "text/html"}, b"<h1>Oh</h1>"),
        ({}, b"Oh"),
        ({"Content-Type": "application/json"}, b'{"detail":"oh"}'),
        ({"Content-Type": "application/json"}, b'{"error":"oh","error_code":"4003"}'),
        ({"Content-Type": "application/json"}, b"[]"),
        ({"Content-Type": "application/json; charset=gbk"}, b"{}"),
        ({"Content-Type": "application/xml"}, b"<Error/>"),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, b"?"),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip", "Content-Language": "en", "Vary": "Accept"}, b"?"),
    ],
)  # fmt: skip
def test_anything_else_is_no_envelope(headers: dict[str, str], body: bytes) -> None:
    assert not is_envelope(ENGINE, headers.items(), body)


NAMES = st.sampled_from(
    ["Set-Cookie", "allow", "Retry-After", "X-Own", "Content-Type", "ETag", "content-length", "VARY"]
)


@given(st.lists(st.tuples(NAMES, st.sampled_from(["a", "Accept, b", ""]))))
def test_headers_stay_in_order_unless_they_describe_the_body(given: list[tuple[str, str]]) -> None:
    rendered = fail(ENGINE, Caller(), 404)
    written = written_headers(rendered, given)
    gone = ("content-type", "etag", "content-length", "vary")
    kept: list[Any] = [pair for pair in given if pair[0].lower() not in gone]
    assert written[: len(kept)] == kept
    own = dict(written[len(kept) :])
    assert [*own] == [*rendered.headers, "Content-Length"]
    assert own["Content-Length"] == str(len(rendered.body))
    varies = own.pop("Vary").split(", ")
    assert {*varies} == {"Accept", "Accept-Language"} | ({"b"} if ("VARY", "Accept, b") in given else set()) | (
        {"a"} if ("VARY", "a") in given else set()
    )
    assert len(varies) == len({*varies})
