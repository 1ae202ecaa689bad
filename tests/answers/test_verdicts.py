"""Verdicts: the documents' own sample, the whole grid against an independent rule, contradictions."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

import envelope
from envelope import Envelope, PhpObject
from envelope.answers.verdicts import CONTRADICTIONS, RULES, judge, lint, upstream_error
from envelope.registry.codes import REGISTRY, Billing

SAMPLE = Path(__file__).parents[2] / "fixtures" / "valid" / "sample-upstream-error"


def test_the_documents_own_sample_failed_upstream_and_is_charged_for(fmt: str) -> None:
    body = (SAMPLE / f"body{envelope.formats.get_format(fmt).suffix}").read_bytes()
    verdict = judge(envelope.decode(body, fmt), 200)
    assert (verdict.ok, verdict.layer, verdict.retryable, verdict.rule) == (False, "upstream", True, "upstream-error")
    assert verdict.billing is Billing.CHARGED
    assert verdict.billable


def test_the_whole_grid() -> None:
    """Every HTTP status, code (including an unknown one, and no envelope) and kind of upstream error."""
    errors: tuple[Any, ...] = (None, {"type": "tokens"}, {"type": "invalid_request_error"})
    met = set()
    for status, code, error in product(range(100, 600), [*(row.code for row in REGISTRY), "9999", ""], errors):
        answer = Envelope(response={"id": 1, "error": error}, error_code=code) if code else None
        verdict = judge(answer, status)
        met.add(verdict.rule)
        is_success = code in ("0000", "2000")
        assert verdict.ok == (is_success and error is None and 200 <= status < 300)
        assert (verdict.layer is None) == verdict.ok
        assert verdict.billing == (REGISTRY[code].billing if code in REGISTRY else "unknown")
        assert verdict.billable == is_success
        if verdict.ok:
            assert not verdict.retryable
        elif code in REGISTRY and not is_success:
            assert (verdict.layer, verdict.retryable) == ("gateway", REGISTRY[code].retryable)
        elif is_success and error is not None:
            assert (verdict.layer, verdict.retryable) == ("upstream", error["type"] == "tokens")
        else:
            assert verdict.layer == ("gateway" if code == "9999" else "http")
            assert verdict.retryable == (status in (408, 425, 429, 500, 502, 503, 504))
    assert met == set(RULES)


@pytest.mark.parametrize(
    ("error", "is_there"),
    [({"message": "x"}, True), ("overloaded", True), (1, True), (True, True), ([0], True), (PhpObject("A", {"x": 1}), True),
     (None, False), (False, False), ("", False), ([], False), ({}, False), (0, False), ("0", False), (PhpObject("stdClass"), False)],
)  # fmt: skip
def test_an_empty_upstream_error_does_not_count(error: Any, is_there: bool) -> None:
    assert (upstream_error({"error": error}) is not None) == is_there
    assert (upstream_error(PhpObject("stdClass", {"error": error})) is not None) == is_there
    assert judge(Envelope.ok({"error": error})).ok != is_there


@pytest.mark.parametrize("response", [None, [], {}, "error", ["error"], {"errors": 1}, 7, PhpObject("A")])
def test_a_response_without_an_error_has_no_upstream_error(response: Any) -> None:
    assert upstream_error(response) is None


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        ({"type": "tokens", "code": None}, True),
        ({"type": "requests", "code": "insufficient_quota"}, False),
        ({"type": "insufficient_quota", "code": "insufficient_quota"}, False),
        ({"type": "invalid_request_error", "code": "rate_limit_exceeded"}, True),
        ({"code": 503}, True),
        ({"code": False, "type": "tokens"}, True),
        ({"code": 0, "type": "tokens"}, True),
        ({"code": "429"}, True),
        ({"code": "４２９"}, False),
        ({"code": "1" * 5000}, False),
        ({"code": 400, "type": "tokens"}, False),
        ({"type": ["tokens"]}, False),
        ({"message": "tokens"}, False),
        ("tokens", False),
        (PhpObject("stdClass", {"type": "server_error"}), True),
    ],
)
def test_whether_waiting_helps_is_read_from_the_errors_code_and_type(error: Any, retryable: bool) -> None:
    assert judge(Envelope.ok({"error": error})).retryable == retryable


def test_an_operators_registry_decides() -> None:
    answer = Envelope.fail("4003")
    assert judge(answer, registry=REGISTRY.override("4003", retryable=True, billing="charged")).retryable
    assert judge(answer, registry=REGISTRY.override("4003", billing="charged")).billable
    always_200 = REGISTRY.override("4003", http_status=200)
    assert not judge(answer, 200, registry=always_200).ok
    with pytest.raises(TypeError, match="int"):
        judge(answer, "200")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not dict"):
        judge({})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="int"):
        lint(answer, "200")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "http_status", "rules"),
    [
        (Envelope.ok([1]), 200, []),
        (Envelope.ok([]), None, []),
        (Envelope(response=[1], error="success"), 200, []),
        (Envelope(response=[1], error="Param error"), None, ["success-with-error"]),
        (Envelope.ok({"error": "x"}), None, ["success-with-upstream-error"]),
        (Envelope.ok([1]), 500, ["success-with-http-error"]),
        (Envelope.ok([1]), 302, ["success-with-http-error"]),
        (Envelope(response=[], error_code="2000"), 200, []),
        (Envelope(response=[1], error_code="2000"), 200, ["no-result-with-response"]),
        (Envelope(response={"error": "x"}, error_code="2000", error="y"), 404,
         ["success-with-upstream-error", "success-with-error", "success-with-http-error"]),
        (Envelope.fail("4003", error="Param error"), 200, []),
        (Envelope.fail("4003"), 400, []),
        (Envelope(response=[1], error_code="4003"), 400, ["failure-with-response"]),
        (Envelope(response={"error": "x"}, error_code="4002"), 200, []),
        (Envelope(response=[1], error_code="9999", error="x"), 500, []),
    ],
)  # fmt: skip
def test_contradictions(answer: Envelope[Any], http_status: int | None, rules: list[str]) -> None:
    found = lint(answer, http_status)
    assert [item.rule for item in found] == rules
    assert all(str(item).startswith("$.") and item.rule in CONTRADICTIONS for item in found)
    assert "success-with-http-error" in rules or judge(answer, http_status).rule != "http-status"
