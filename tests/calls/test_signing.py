"""Signatures and cache keys: PHP's own vectors, the same in every carrier and order, a window of time."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope import EncodeError, Lang, RequestError, ResultType
from envelope.calls.cache_keys import cache_key, client_cache_key
from envelope.calls.engine import Engine
from envelope.calls.http import HttpRequest
from envelope.calls.request import ApiRequest, Carrier
from envelope.calls.signing import sign, signature, verify
from envelope.testing.php import Php
from envelope.testing.strategies import texts
from tests.calls.php_request_run import compare
from tests.strategies import requests

HERE = Path(__file__).parent
VECTORS: list[dict[str, Any]] = json.loads((HERE / "signatures.json").read_text(encoding="utf-8"))
NOW = int(datetime(2023, 3, 5, 2, 3, 24, tzinfo=UTC).timestamp()) * 10**9  # 10:03:24 in China
CALL = ApiRequest(key="k", api_name="custom", params={"q": "连衣裙", "page": "2"})


def at(seconds: float) -> Any:
    """A clock stopped *seconds* after the call was signed."""
    return lambda: NOW + int(seconds * 10**9)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
@pytest.mark.parametrize("carrier", get_args(Carrier))
def test_vectors_that_php_computed(vector: dict[str, Any], carrier: Carrier) -> None:
    own = {"key": "test-key", "api_name": "custom", "secret": vector["secret"], "dateline": "2023-03-05 10:03:24"}
    request = ApiRequest.read(ApiRequest.from_params({**own, **vector["params"]}).write(carrier))
    assert signature(request, vector["secret"]) == vector["sign"]
    assert client_cache_key(request) == vector["client_cache_key"]
    verify(replace(request, sign=vector["sign"], secret=""), vector["secret"], at(0))


@pytest.mark.php
def test_the_vectors_are_what_php_computes() -> None:
    php = shutil.which("php") or "php"
    ran = subprocess.run([php, str(HERE / "signatures.php")], capture_output=True, check=True)
    assert ran.stdout.decode() == (HERE / "signatures.json").read_text(encoding="utf-8")


@pytest.mark.php
def test_random_calls_are_signed_as_php_signs_them(php: Php) -> None:
    assert compare(php, 1, 1000) == []


FLAT = st.dictionaries(
    st.text("abcXYZ_ж", min_size=1, max_size=4).filter(lambda name: name != "api"), texts(), max_size=5
)


@given(requests(params=FLAT), st.sampled_from(get_args(Carrier)), st.randoms(use_true_random=False))
def test_neither_order_nor_carrier_makes_a_difference(request: ApiRequest, carrier: Carrier, random: Any) -> None:
    names = list(request.params)
    random.shuffle(names)
    other = ApiRequest.read(replace(request, params={name: request.params[name] for name in names}).write(carrier))
    assert signature(other, "s") == signature(request, "s")
    assert cache_key(other) == cache_key(request)


@given(requests())
def test_the_canonical_key_takes_lists_and_maps(request: ApiRequest) -> None:
    keys = {cache_key(ApiRequest.read(request.write(carrier))) for carrier in get_args(Carrier)}
    assert keys == {cache_key(request)}


def test_what_makes_another_key() -> None:
    base = replace(CALL, args={"n": 1, "m": {"a": 1, "b": 2}}, method="v1/models", api_type="openai")
    same_call: list[dict[str, Any]] = [
        {"key": "other"}, {"secret": "x"}, {"sign": "x"}, {"dateline": "x"}, {"cache": False}, {"result_type": ResultType.XML},
        {"params": {"page": 2, "q": "连衣裙"}}, {"args": {"m": {"b": 2, "a": 1}, "n": 1}},
    ]  # fmt: skip
    for changes in same_call:
        assert cache_key(replace(base, **changes)) == cache_key(base)
    other_call: list[dict[str, Any]] = [
        {"lang": Lang.RU}, {"version": "2"}, {"method": "v1/edits"}, {"api_name": "item_get"}, {"api_type": "taobao"},
        {"args": {"n": 1.0, "m": {"a": 1, "b": 2}}}, {"args": {}}, {"args": None}, {"params": {"q": "连衣裙"}}, {"params": {"q": ["连衣裙"], "page": "2"}},
    ]  # fmt: skip
    keys = {cache_key(replace(base, **changes)) for changes in other_call}
    assert len(keys - {cache_key(base)}) == len(other_call)


def test_a_signed_call_proves_who_calls_without_the_secret() -> None:
    signed = sign(replace(CALL, secret="s3cret"), "s3cret", at(0))
    assert (signed.secret, signed.dateline) == ("", "2023-03-05 10:03:24")
    for carrier in get_args(Carrier):
        verify(ApiRequest.read(signed.write(carrier)), "s3cret", at(0))
    # What the client adds afterwards is not signed.
    verify(replace(signed, cache=False, lang=Lang.RU, result_type=ResultType.XML, secret="s3cret"), "s3cret", at(0))
    verify(replace(CALL, secret="s3cret"), "s3cret", at(0))


@pytest.mark.parametrize("seconds", [-300, -1, 0, 299.9, 300])
def test_within_the_window(seconds: float) -> None:
    verify(sign(CALL, "s", at(0)), "s", at(seconds))


@pytest.mark.parametrize(
    ("changes", "seconds", "code", "path"),
    [
        ({}, 301, "4005", "$.dateline"),
        ({}, -301, "4005", "$.dateline"),
        ({"sign": "0" * 32}, 0, "4005", "$.sign"),
        ({"sign": "ж"}, 0, "4005", "$.sign"),
        ({"sign": ""}, 0, "4005", "$.sign"),
        ({"params": {"q": "连衣裙", "page": "3"}}, 0, "4005", "$.sign"),
        ({"dateline": "2023-03-05 10:03:25"}, 0, "4005", "$.sign"),
        ({"secret": "other"}, 0, "4005", "$.secret"),
        ({"params": {"q": ["a"]}}, 0, "4003", "$.q"),
        ({"params": {"q": {"x": "a"}}}, 0, "4003", "$.q"),
        ({"params": {"q": "连衣裙", "page": "2", "more": None}}, 0, "4003", "$.more"),
        ({"params": {"q": "连衣裙", "page": "2", "more": True}}, 0, "4003", "$.more"),
        ({"params": {"q": "连衣裙", "page": "2", "more": []}}, 0, "4003", "$.more"),
        ({"params": {"q": "连衣裙", "page": "2", "more": 1.0}}, 0, "4003", "$.more"),
    ],
)
def test_a_caller_without_proof_is_refused(changes: dict[str, Any], seconds: float, code: str, path: str) -> None:
    with pytest.raises(RequestError) as caught:
        verify(replace(sign(CALL, "s", at(0)), **changes), "s", at(seconds))
    assert (caught.value.code, caught.value.path) == (code, path)
    assert "连" not in str(caught.value)


@pytest.mark.parametrize(
    "dateline", ["now", "2023-3-5 10:03:24", "2023-02-30 10:03:24", "2023-03-05T10:03:24", "٢٠٢٣-03-05 10:03:24"]
)
def test_a_signed_call_has_a_time(dateline: str) -> None:
    dated = replace(CALL, dateline=dateline)
    with pytest.raises(RequestError, match="not a time") as caught:
        verify(replace(dated, sign=signature(dated, "s")), "s", at(0))
    assert (caught.value.code, caught.value.path) == ("4003", "$.dateline")


def test_other_time_zones_and_windows() -> None:
    signed = sign(CALL, "s", at(0), zone=UTC)
    assert signed.dateline == "2023-03-05 02:03:24"
    verify(signed, "s", at(0), zone=UTC)
    verify(signed, "s", at(0), window=int(timedelta(hours=8).total_seconds()))
    with pytest.raises(RequestError):
        verify(signed, "s", at(0))


def test_values_without_a_text_form_cannot_be_signed_or_keyed() -> None:
    for function in (lambda call: signature(call, "s"), client_cache_key):
        with pytest.raises(EncodeError) as caught:
            function(replace(CALL, params={"a": {"b": "c"}}))
        assert caught.value.path == "$.a"
    with pytest.raises(EncodeError):
        cache_key(replace(CALL, args={"a": object()}))


def captured(body: dict[str, Any]) -> RequestError | None:
    """What the engine answers, a year later, to a call with a captured signature."""
    engine = Engine(secrets={"mine": "s3cret"}.get, clock=at(365 * 86400))
    http = HttpRequest(query="key=mine", body=json.dumps(body).encode(), content_type="application/json")
    try:
        engine.read(http)
    except RequestError as error:
        return error
    return None


def test_a_captured_signature_is_no_use_for_another_call() -> None:
    signed = sign(ApiRequest(key="mine", api_name="cheap", method="v1/models", params={"q": "x"}), "s3cret", at(0))
    hidden = {" dateline": signed.dateline, " api_name": "cheap", " method": "v1/models", " q": "x"}
    evil = {"sign": signed.sign, "dateline": "2024-03-04 10:03:24", "api_name": "dear", "method": "evil", "q": "evil"}
    for body in ({**evil, **hidden}, evil, {**evil, "n": ["evil"], "q": "x"}):
        assert captured(body) is not None
    now = {**signed.to_params()}
    error = captured(now)
    assert error is not None
    assert error.path == "$.dateline"


def test_different_calls_never_share_a_cache_key() -> None:
    different: list[dict[str, Any]] = [
        {"q": "good"}, {"q": "good", "r": None}, {"q": ["good"]}, {"q": {"x": "good"}}, {"q": []}, {"q": {}}, {"q": [None, "good"]},
        {"q": {"1": "good"}}, {"q": [["good"]]}, {"q": None}, {}, {"q": ""},
    ]  # fmt: skip
    assert len({cache_key(replace(CALL, params=params)) for params in different}) == len(different)


@pytest.mark.parametrize(
    "query",
    [
        "version=&q=1",
        "method=&_o_args=",
        "api=v1/models",
        "07=a&5=b&010=c&9=d",
        "1e3=a&9=b&-5=c&+5=d",
        "q=@x&z=@",
        "9223372036854775808=a&5=b",
        "Z=1&_=2&z=3",
    ],
)
@pytest.mark.php
def test_a_call_is_checked_as_it_came(php: Php, query: str) -> None:
    whole = f"key=mine&api_name=custom&dateline=2023-03-05+10%3A03%3A24&{query}"
    theirs = php.ask_one("sign", f"s3cret\n{whole}".encode())
    engine = Engine(secrets={"mine": "s3cret"}.get, clock=at(0))
    engine.read(HttpRequest(query=f"{whole}&sign={(theirs or b'').decode()}"))


def test_an_account_without_a_secret_does_not_count() -> None:
    signed = sign(CALL, "", at(0))
    with pytest.raises(RequestError) as caught:
        Engine(secrets=lambda key: "", clock=at(0)).read(signed.write("query"))
    assert caught.value.code == "4004"


@pytest.mark.parametrize("seconds", [-3600, 0, 3600])
def test_the_hour_that_comes_twice_when_summer_time_ends(seconds: int) -> None:
    try:
        zone = ZoneInfo("Europe/Berlin")
    except ZoneInfoNotFoundError:
        pytest.skip("no time zones here")
    now = int(datetime(2023, 10, 29, 1, 30, tzinfo=UTC).timestamp()) + seconds
    signed = sign(CALL, "s", lambda: now * 10**9, zone=zone)
    verify(signed, "s", lambda: (now + 200) * 10**9, zone=zone)


def test_what_is_signed_stays_what_it_is() -> None:
    class Own(ApiRequest):
        pass

    assert type(sign(Own(key="k", api_name="custom"), "s", at(0))) is Own
