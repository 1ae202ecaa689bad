"""What a reply means: by its status, its type and its body."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope import Envelope, encode
from envelope.answers import judge
from envelope.gateway.upstreams import Usage
from envelope.gateway.upstreams.call import UpstreamCall
from envelope.gateway.upstreams.hop import Fault, Reply
from envelope.gateway.upstreams.masks import Masks
from envelope.gateway.upstreams.reading import Finding, find
from envelope.gateway.upstreams.usage import usage_of
from envelope.registry import REGISTRY
from envelope.testing.strategies import values
from tests.gateway.calls import upstream

CALL = UpstreamCall(method="v1/completions", args={"prompt": "hello"})
MASKS = Masks([upstream("a", "https://api.example.com")])


def found(
    status: int, body: bytes = b"{}", content_type: str = "application/json", call: UpstreamCall = CALL
) -> Finding:
    return find(Reply(status, content_type, "", body), call, MASKS)


@given(st.integers(100, 999), st.binary(max_size=20) | values(max_leaves=5).map(orjson.dumps))
def test_every_status_and_body_has_a_code_that_an_envelope_can_carry(status: int, body: bytes) -> None:
    finding = found(status, body)
    if 200 <= status <= 299:
        assert finding.code in ("0000", "2000", "4002")
    elif 400 <= status <= 499 and status not in (401, 402, 407):
        assert finding.code == "2000"
        # Whatever came, a caller sees that the upstream refused: such a 2000 is not a success.
        assert judge(Envelope(response=finding.response, error_code="2000")).rule == "upstream-error"
    else:
        assert finding.code == "4002"
    if finding.code not in ("0000", "2000"):
        assert finding.response is None
    encode(Envelope(response=finding.response or [], error_code=finding.code), "xml")


@given(st.integers(100, 999).filter(lambda status: not 200 <= status <= 299))
def test_a_body_that_breaks_changes_nothing_of_what_its_status_says(status: int) -> None:
    broken = find(Fault("network", status, "7"), CALL, MASKS)
    assert broken == found(status, b"", "")


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("unreachable", "4001"),
        ("network", "4001"),
        ("silent", "4017"),
        ("time", "4017"),
        ("limit", "4002"),
        ("type", "4002"),
    ],
)
def test_a_fault_has_a_code_that_is_free_and_may_be_tried_again(what: Any, code: str) -> None:
    for status in (None, 200):
        assert find(Fault(what, status), CALL, MASKS).code == code
    assert REGISTRY[code].retryable
    assert REGISTRY[code].billing == "free"


@pytest.mark.parametrize(
    ("status", "body"),
    [(204, b""), (200, b"[]"), (200, b"{}"), (200, b"null"), (200, b'""')],
)
def test_an_empty_answer_is_nothing_found(status: int, body: bytes) -> None:
    assert found(status, body)[:2] == ("nothing", "2000")


@pytest.mark.parametrize("body", [b"0", b"false", b"1.5", b'{"data":[]}', b"[[]]"])
def test_other_values_are_answers(body: bytes) -> None:
    assert found(200, body)[:2] == ("answer", "0000")
    assert found(200, body).response == orjson.loads(body)


@pytest.mark.parametrize(
    "body", [b"", b"<p>", b"{", b"NaN", b"18446744073709551615", b"[" * 191 + b"]" * 191, b'"\xff"']
)
def test_json_that_no_envelope_can_hold_is_none(body: bytes) -> None:
    assert found(200, body)[:2] == ("body", "4002")


@pytest.mark.parametrize(
    ("content_type", "is_json"),
    [
        ("application/json", True), ("application/json; charset=utf-8", True), ("", True), ("text/plain", True), ("application/problem+json", True),
        ("text/html", False), ("text/event-stream", False), ("application/xml", False), ("application/json; charset=gbk", False),
    ],
)  # fmt: skip
def test_what_may_be_json(content_type: str, is_json: bool) -> None:
    assert (found(200, b'{"a":1}', content_type).code == "0000") == is_json


@given(st.binary(max_size=50), st.sampled_from(["audio/mpeg", "image/png", "video/mp4", "application/octet-stream"]))
def test_files_are_base64(body: bytes, content_type: str) -> None:
    response = found(200, body, content_type).response
    assert response["content_type"] == content_type
    assert base64.b64decode(response["b64"]) == body


@pytest.mark.parametrize("format", ["text", "srt", "vtt"])
def test_a_text_is_an_answer_where_it_was_asked_for(format: str) -> None:
    args = {"response_format": format}
    for call in (UpstreamCall(method="v1/audio/transcriptions", args=args), UpstreamCall(method="x", params=args)):
        assert found(200, "地球".encode(), "text/plain; charset=utf-8", call).response == "地球"
        assert found(200, b"\xff", "text/plain", call).code == "4002"
    assert found(200, "地球".encode(), "text/plain").code == "4002"


@pytest.mark.parametrize(
    ("error", "retry"),
    [
        ({"type": "tokens"}, True),
        ({"code": "server_error"}, True),
        ({"type": "invalid_request_error"}, False),
        ("no", False),
    ],
)
def test_an_error_under_200_is_the_upstreams(error: Any, retry: bool) -> None:
    finding = found(200, orjson.dumps({"error": error}))
    assert (finding.what, finding.code, finding.response, finding.retry) == ("error", "2000", {"error": error}, retry)


def test_errors_of_other_shapes_are_put_under_error() -> None:
    for body in ({"detail": "no"}, ["no"], "no", {"error": None, "message": "no"}):
        assert found(422, orjson.dumps(body)).response == {"error": body}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}, Usage(1, 2)),
        ({"prompt_tokens": 1, "total_tokens": 1}, Usage(1, 0)),
        ({"input_tokens": 1, "output_tokens": 2}, Usage(1, 2)),
        ({"prompt_tokens": -1, "completion_tokens": 2}, None),
        ({"prompt_tokens": True, "completion_tokens": 2}, None),
        ({"prompt_tokens": "1", "completion_tokens": 2}, None),
        ({"prompt_tokens": 1, "completion_tokens": None}, None),
        ({"prompt_tokens": 1.0}, None),
        ({"prompt_tokens": 2**53 + 1}, None),
        ({"completion_tokens": 2}, None),
        ([], None),
        (None, None),
    ],
)
def test_usage_that_cannot_be_is_none(usage: Any, expected: Usage | None) -> None:
    assert usage_of({"usage": usage}) == expected
    assert usage_of([usage]) is None
