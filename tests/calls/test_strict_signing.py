"""The strict signature: whatever is changed breaks it, it works in every carrier, and it works once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope import EncodeError, Lang, RequestError, ResultType
from envelope.calls.engine import Engine
from envelope.calls.http import HttpRequest
from envelope.calls.parameters import PARAMETERS, Parameter
from envelope.calls.request import ApiRequest, Carrier, read_call
from envelope.calls.signing import sign, signature, verify
from envelope.calls.strict_signing import sign_strictly, strict_signature, verify_strictly
from envelope.testing.strategies import texts
from tests.strategies import requests

CARRIERS = get_args(Carrier)
SECRET = "s3cret"
NONCE = "0123456789abcdef"
OTHER = "fedcba9876543210"
NOW = int(datetime(2023, 3, 5, 2, 3, 24, tzinfo=UTC).timestamp())  # 10:03:24 in China
CALL = ApiRequest(key="k", api_name="custom", params={"q": "hello"})


def at(seconds: int) -> Any:
    """A clock stopped *seconds* after the call was signed."""
    return lambda: (NOW + seconds) * 10**9


def signed(call: ApiRequest, nonce: str = NONCE) -> ApiRequest:
    return sign_strictly(call, SECRET, at(0), lambda: nonce)


class Memory:
    """Remembers nonces, and everything that it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int]] = []

    def __call__(self, key: str, nonce: str, until: int) -> bool:
        is_new = (key, nonce) not in [(key, nonce) for key, nonce, _ in self.asked]
        self.asked.append((key, nonce, until))
        return is_new


def refusal(request: ApiRequest, params: dict[str, Any] | None = None, seconds: int = 0) -> tuple[str, str]:
    """The code and path with which *request* is refused; its nonce is not remembered."""
    memory = Memory()
    with pytest.raises(RequestError) as caught:
        verify_strictly(request, SECRET, at(seconds), memory, params=params)
    assert memory.asked == []
    return caught.value.code, caught.value.path


# Floats of no more digits than their text has.
FLOATS = st.floats(-1e9, 1e9).map(lambda number: float(f"{number:.14g}"))
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.booleans() | FLOATS


@given(
    requests() | requests(params=st.dictionaries(st.text("abcж", min_size=1), NUMBERS, max_size=3)),
    st.sampled_from(CARRIERS),
)
def test_a_call_is_verified_in_every_carrier(call: ApiRequest, carrier: Carrier) -> None:
    sent = signed(call)
    request, came = read_call(sent.write(carrier))
    for params in (came, None):
        memory = Memory()
        verify_strictly(request, SECRET, at(0), memory, params=params)
        assert memory.asked == [(call.key, NONCE, NOW + 300)]
    assert refusal(replace(request, key=f"{call.key}!")) == ("4005", "$.sign")
    with pytest.raises(RequestError, match="not the signature"):
        verify_strictly(request, f"{SECRET}!", at(0), Memory(), params=came)


def other(row: Parameter, call: ApiRequest) -> Any:
    """Another value for the field of a parameter."""
    value: Any = getattr(call, row.field)
    if row.default is None:
        return {**(value or {}), "more": 1}
    if isinstance(row.default, StrEnum):
        return next(each for each in type(row.default) if each != value)
    return not value if isinstance(row.default, bool) else f"{value}1"


@given(requests(), st.sampled_from([row for row in PARAMETERS if row.name not in ("secret", "sign")]))
def test_whatever_parameter_is_changed_breaks_it(call: ApiRequest, row: Parameter) -> None:
    sent = signed(call)
    changed = replace(sent, **{row.field: other(row, sent)})
    assert refusal(changed) == ("4005", "$.sign")
    assert refusal(sent, changed.to_params()) == ("4005", "$.sign")


@given(requests(), st.data())
def test_whatever_is_added_or_removed_or_moved_breaks_it(call: ApiRequest, data: st.DataObject) -> None:
    sent = signed(call)
    came = sent.to_params()
    name = data.draw(st.sampled_from([name for name in came if name not in ("sign", "secret")]))
    shorter = {other: value for other, value in came.items() if other != name}
    value: Any = data.draw(st.sampled_from(["", "@", "@x", None, [], {}]) | texts())
    added = data.draw(texts().filter(lambda name: name not in {*came, "secret"}))
    changes: list[dict[str, Any]] = [shorter, {**came, added: value}]
    text = came[name]
    if isinstance(text, str) and text:
        longer = name + text[0]
        changes.append({**shorter, longer: text[1:]})
        changes.append({**shorter, name[:-1]: name[-1] + text})
    if data.draw(st.booleans()):
        changes.append({**came, name: [text]})
    for changed in changes:
        assert refusal(sent, changed) == ("4005", "$.sign")


def test_the_type_of_the_api_and_the_nonce_are_covered() -> None:
    sent = signed(replace(CALL, api_type="openai"))
    for api_type in ("", "taobao"):
        assert refusal(replace(sent, api_type=api_type)) == ("4005", "$.sign")
    for forged in (sent.sign.replace(NONCE, OTHER), sent.sign[:-1] + ("1" if sent.sign[-1] == "0" else "0")):
        assert refusal(replace(sent, sign=forged)) == ("4005", "$.sign")


def test_arguments_that_are_a_map_keep_their_types() -> None:
    body = {"api_name": "custom", "dateline": "2023-03-05 10:03:24", "_o_args": {"n": 5}, "page": 5}
    http = HttpRequest(query="key=k&sign=x", body=json.dumps(body).encode(), content_type="application/json")
    request, came = read_call(http)
    right = strict_signature(request, SECRET, NONCE, params=came)
    assert strict_signature(request, SECRET, NONCE, params={**came, "page": "5"}) == right
    assert strict_signature(request, SECRET, NONCE, params={**came, "_o_args": {"n": "5"}}) != right
    deep: dict[str, Any] = {}
    for _ in range(900):
        deep = {"a": deep}
    sign = replace(request, sign=right)
    assert refusal(sign, {**came, "_o_args": deep})[0] == "4003"


def test_a_nonce_is_taken_once_for_each_key() -> None:
    memory = Memory()
    for key in ("k", "other"):
        for nonce in (NONCE, OTHER):
            sent = signed(replace(CALL, key=key), nonce)
            verify_strictly(sent, SECRET, at(0), memory)
            with pytest.raises(RequestError) as caught:
                verify_strictly(sent, SECRET, at(9), memory)
            assert (caught.value.code, caught.value.path) == ("4005", "$.sign")
    assert len(memory.asked) == 8


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_within_the_window(seconds: int) -> None:
    memory = Memory()
    verify_strictly(signed(CALL), SECRET, at(seconds), memory)
    # Kept through the last second in which the call would be taken again.
    assert memory.asked[0][2] == NOW + 300


def test_outside_the_window_or_without_a_time() -> None:
    for seconds in (-301, 301):
        assert refusal(signed(CALL), seconds=seconds) == ("4005", "$.dateline")
    undated = replace(CALL, sign=strict_signature(CALL, SECRET, NONCE))
    assert refusal(undated) == ("4014", "$.dateline")
    odd = replace(CALL, dateline="now")
    assert refusal(replace(odd, sign=strict_signature(odd, SECRET, NONCE))) == ("4003", "$.dateline")


@given(requests(params=st.dictionaries(st.text("qж5", min_size=1, max_size=3), texts(), max_size=3)))
def test_neither_scheme_takes_the_others_signature(call: ApiRequest) -> None:
    loose, strict = sign(call, SECRET, at(0)), signed(call)
    assert refusal(loose) == ("4005", "$.sign")
    for request in (strict, replace(strict, secret=SECRET)):
        with pytest.raises(RequestError, match="strict") as caught:
            verify(request, SECRET, at(0))
        assert (caught.value.code, caught.value.path) == ("4005", "$.sign")


@pytest.mark.parametrize(
    "sign",
    ["", "0" * 32, "0" * 64, f"hmac-sha256:{NONCE}", f"hmac-sha256:{NONCE}:{'0' * 63}", f"hmac-sha256:{NONCE}:{'A' * 64}",
     f"hmac-sha256:{NONCE[:-1]}:{'0' * 64}", f"hmac-sha256:{'a' * 65}:{'0' * 64}", f"hmac-sha256:{NONCE}é:{'0' * 64}",
     f"hmac-sha256:{NONCE}:{'0' * 64}\n", f"HMAC-SHA256:{NONCE}:{'0' * 64}", "\ud800"],
)  # fmt: skip
def test_what_is_no_strict_signature(sign: str) -> None:
    assert refusal(replace(signed(CALL), sign=sign)) == ("4005", "$.sign")


def test_the_secret_itself_proves_nothing() -> None:
    assert refusal(replace(CALL, secret=SECRET)) == ("4005", "$.secret")
    assert refusal(replace(signed(CALL), secret=SECRET)) == ("4005", "$.secret")
    assert signed(replace(CALL, secret=SECRET)).secret == ""


def test_what_cannot_be_signed() -> None:
    for nonce in ("", "a" * 15, "a" * 65, "a" * 15 + " ", "a" * 16 + "\n", "é" * 16):
        with pytest.raises(ValueError, match="a nonce is 16 to 64"):
            signed(CALL, nonce)
    with pytest.raises(ValueError, match="empty secret"):
        sign_strictly(CALL, "", at(0), lambda: NONCE)
    with pytest.raises(EncodeError):
        signed(replace(CALL, params={"q": "\ud800"}))
    many = {**signed(CALL).to_params(), **{f"n{number}": "" for number in range(1000)}}
    assert refusal(signed(CALL), many) == ("4003", "$")


def test_an_engine_takes_one_scheme_alone() -> None:
    memory = Memory()
    loose = Engine(secrets={"k": SECRET}.get, clock=at(0))
    strict = Engine(secrets={"k": SECRET}.get, clock=at(0), remember_nonce=memory)
    call = replace(CALL, api_type="openai", result_type=ResultType.XML, lang=Lang.RU)
    calls = {"secret": replace(call, secret=SECRET), "loose": sign(call, SECRET, at(0)), "strict": signed(call)}
    taken = {"secret": loose, "loose": loose, "strict": strict}
    for name, request in calls.items():
        for engine in (loose, strict):
            http = request.write("form")
            if engine is taken[name]:
                assert engine.read(http) == request
            else:
                with pytest.raises(RequestError) as caught:
                    engine.read(http)
                assert (caught.value.code, caught.value.result_type, caught.value.lang) == ("4005", "xml", "ru")
    with pytest.raises(RequestError, match="nonce"):
        strict.read(calls["strict"].write("query"))
    other_path = replace(calls["strict"].write("form"), path="/taobao/custom/")
    with pytest.raises(RequestError, match="not the signature"):
        strict.read(other_path)
    with pytest.raises(TypeError, match="needs secrets"):
        Engine(remember_nonce=memory)


def test_what_the_gateways_own_scheme_does_not_protect() -> None:
    """As the documents say; the strict scheme refuses each of these changes."""
    call = replace(CALL, api_type="openai")
    loose, strict = sign(call, SECRET, at(0)), signed(call)
    changes: list[dict[str, Any]] = [
        {"params": {"qh": "ello"}},
        {"api_type": "taobao"},
        {"cache": False},
        {"lang": Lang.RU},
        {"result_type": ResultType.XML},
        {"params": {"q": "hello", "more": "@x"}},
    ]
    for change in changes:
        verify(replace(loose, **change), SECRET, at(0))
        assert refusal(replace(strict, **change)) == ("4005", "$.sign")
    for _ in range(2):
        verify(loose, SECRET, at(299))
    assert signature({"q": "hello"}, SECRET) == signature({"qh": "ello"}, SECRET)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_other_number_has_its_signature(number: float) -> None:
    """PHP prints 14 digits of a float: what has more is refused."""
    call = replace(CALL, params={"amount": [number]})
    if float(f"{number:.14g}") != number:
        with pytest.raises(EncodeError, match=r"at \$\.amount: a float of more digits"):
            signed(call)
    else:
        assert signed(call).sign
    other = replace(signed(replace(CALL, params={"amount": 0.3})), params={"amount": 0.300000000000005})
    with pytest.raises(RequestError):
        verify_strictly(other, SECRET, at(0), Memory())
