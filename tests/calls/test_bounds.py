"""What a call may cost before anybody knows who calls; counted in steps, not in seconds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_args

import pytest

from envelope import EncodeError, Limits, RequestError
from envelope.calls import ksort as ksort_module
from envelope.calls.bounds import MAX_NAMES, REQUEST_LIMITS
from envelope.calls.engine import Engine
from envelope.calls.http import HttpRequest
from envelope.calls.request import ApiRequest, Carrier
from envelope.calls.signing import signature, verify
from envelope.formats.common.budget import Budget

BASE = {"key": "k", "secret": "s", "api_name": "custom"}
QUERY = "key=k&secret=s&api_name=custom"
ENGINE = Engine(secrets=lambda key: "s", clock=lambda: 0)


def posted(body: bytes) -> HttpRequest:
    return HttpRequest(query=QUERY, body=body, content_type="application/json")


def many(count: int) -> dict[str, Any]:
    return {f"n{number}": "x" for number in range(count)}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many values the JSON scanner enters at each of its steps, and 1 for each name that is sorted."""
    counted: list[int] = []
    enter, key = Budget.enter, ksort_module._key

    def entered(self: Budget, depth: int, items: int) -> Any:
        counted.append(items)
        return enter(self, depth, items)

    def sorted_key(place: int, name: str) -> Any:
        counted.append(1)
        return key(place, name)

    monkeypatch.setattr(Budget, "enter", entered)
    monkeypatch.setattr(ksort_module, "_key", sorted_key)
    return counted


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":[' + b"1," * 900_000 + b"x",
        b'{"a":' + b"[" * 1_500_000 + b"x",
        b'{"a":[' + b"{}," * 600_000 + b"x",
        b"{" + b'"a":1,' * 300_000 + b"x",
        b'{"a":["' + b"[," * 900_000 + b'",x',
    ],
)
def test_a_fault_at_the_end_costs_no_more_than_the_limits(body: bytes, steps: list[int]) -> None:
    assert len(body) < REQUEST_LIMITS.max_bytes
    with pytest.raises(RequestError, match="cannot be read"):
        ENGINE.read(posted(body))
    assert sum(steps) <= REQUEST_LIMITS.max_items + 2  # the root, and the item too many


def test_what_is_too_large_is_not_read(steps: list[int]) -> None:
    text = b"x" * (REQUEST_LIMITS.max_bytes + 1)
    form = HttpRequest(query=QUERY, body=text, content_type="application/x-www-form-urlencoded")
    for http in (posted(text), form, HttpRequest(query=text)):
        with pytest.raises(RequestError, match="the limit is 2097152"):
            ENGINE.read(http)
    assert steps == []
    larger = Engine(request_limits=Limits())
    body = json.dumps({"a": "x" * REQUEST_LIMITS.max_bytes}).encode()
    assert len(larger.read(posted(body)).params["a"]) == REQUEST_LIMITS.max_bytes


def test_a_call_has_at_most_as_many_names_as_php_reads(steps: list[int]) -> None:
    fits = {**BASE, **many(MAX_NAMES - len(BASE))}
    assert len(ApiRequest.from_params(fits).params) == MAX_NAMES - len(BASE)
    assert len(signature(fits, "s")) == 32
    assert len(ENGINE.read(posted(json.dumps(many(MAX_NAMES - len(BASE))).encode())).params) == MAX_NAMES - len(BASE)
    steps.clear()
    over = {**BASE, **many(MAX_NAMES - len(BASE) + 1)}
    call = ApiRequest(key="k", api_name="custom", sign="0" * 32)
    refusals: list[Callable[[], object]] = [
        lambda: ApiRequest.from_params(over),
        lambda: verify(call, "s", lambda: 0, params=over),
        lambda: ENGINE.read(posted(json.dumps(over).encode())),
        lambda: ENGINE.read(posted(json.dumps(many(90_000)).encode())),
    ]
    for refused in refusals:
        with pytest.raises(RequestError) as caught:
            refused()
        assert (caught.value.code, caught.value.path) == ("4003", "$")
        assert caught.value.reason == "more than 1000 parameters"
    large = ApiRequest(key="k", api_name="custom", params=many(MAX_NAMES))
    for params in (over, large):
        with pytest.raises(EncodeError, match="more than 1000 parameters") as unsigned:
            signature(params, "s")
        assert unsigned.value.kind == "limit"
    for carrier in get_args(Carrier):
        with pytest.raises(EncodeError, match="more than 1000 parameters") as unwritten:
            large.write(carrier)
        assert unwritten.value.kind == "limit"
    assert steps == []


def test_two_million_names_are_refused_at_once(steps: list[int]) -> None:
    names = dict.fromkeys(range(2_000_000))
    with pytest.raises(EncodeError, match="more than 1000 parameters"):
        signature(names, "s")  # type: ignore[arg-type]
    body = b"{" + b",".join(b'"%x":0' % number for number in range(150_000)) + b"}"
    with pytest.raises(RequestError, match="more than 100000 items"):
        ENGINE.read(posted(body))
    assert sum(steps) <= REQUEST_LIMITS.max_items + 2


def test_arguments_given_as_text_have_the_same_limits() -> None:
    for args, reason in (("[" * 300, "nested deeper than 200"), (json.dumps({"a": [0] * 100_000}), "more than 100000")):
        with pytest.raises(RequestError, match=reason):
            ApiRequest.from_params({**BASE, "_o_args": args})
    with pytest.raises(RequestError, match="the limit is 9"):
        ApiRequest.from_params({**BASE, "_o_args": '{"a": "x"}'}, limits=Limits(max_bytes=9))
