"""Requests: the same call in three carriers, the code if something is missing or wrong, nothing secret shown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope import EncodeError, Lang, Limits, RequestError, ResultType, ValidationError, same
from envelope.calls.cache_keys import cache_key, client_cache_key
from envelope.calls.carriers import find_fault, text_tree
from envelope.calls.http import HttpRequest
from envelope.calls.request import ApiRequest, Carrier
from envelope.calls.signing import signature
from envelope.testing.strategies import values
from tests.strategies import requests

CARRIERS: tuple[Carrier, ...] = get_args(Carrier)
BASE = "key=k&secret=s&api_name=custom"


def read(query: str = BASE, **http: Any) -> ApiRequest:
    return ApiRequest.read(HttpRequest(query=query, **http))


@given(requests(), st.sampled_from(CARRIERS))
def test_what_is_written_is_read_back(request: ApiRequest, carrier: Carrier) -> None:
    http = request.write(carrier)
    back = ApiRequest.read(http)
    assert back == request == replace(back)  # which checks all fields once more
    assert same(back.to_params(), request.to_params())
    assert (http.verb, bool(http.body)) == (("GET", False) if carrier == "query" else ("POST", True))
    assert "key=" in http.query
    assert ApiRequest.from_params(request.to_params(), api_type=request.api_type) == request


def clean(value: Any) -> bool:
    return find_fault({"x": value}) is None


@given(
    requests(
        params=st.dictionaries(
            st.text("abcd]ж", min_size=1, max_size=3), values(max_leaves=6).filter(clean), max_size=3
        )
    )
)
def test_every_carrier_gives_back_what_it_takes(request: ApiRequest) -> None:
    """JSON carries everything; the others carry it as text, or refuse it."""
    assert same(ApiRequest.read(request.write("json")).to_params(), request.to_params())
    for carrier in ("query", "form"):
        try:
            back = ApiRequest.read(request.write(carrier))
        except EncodeError as error:
            assert (error.format, error.kind) == ("query", "unrepresentable")
        else:
            assert same(text_tree(back.to_params()), text_tree(request.to_params()))
            assert cache_key(back) == cache_key(request)


def test_the_documents_own_calls() -> None:
    request = read(
        "key=k&secret=s&method=v1/completions&_o_args=%7B%22prompt%22%3A%22%E5%9C%B0%E7%90%83%22%2C%22n%22%3A10%7D",
        path="/openai/custom/",
    )
    assert (request.api_type, request.api_name, request.method) == ("openai", "custom", "v1/completions")
    assert request.args == {"prompt": "地球", "n": 10}
    posted = read(
        "key=k&secret=s", path="/x/openai/custom", body=b'{"method":""}', content_type="text/plain;charset=UTF-8"
    )
    assert (posted.method, posted.args, posted.params) == ("", None, {})
    client = b"key=k&api_name=item_search&dateline=2023-03-05+10%3A03%3A24&q=dress&sign=ABC&secret=s&cache=no&lang=en&result_type=serialize"
    form = read("", path="/taobao/api_call.php", body=client, content_type="application/x-www-form-urlencoded")
    assert (form.api_type, form.api_name, form.cache, form.lang) == ("taobao", "item_search", False, Lang.EN)
    assert (form.result_type, form.params, form.sign) == (ResultType.SERIALIZE, {"q": "dress"}, "ABC")
    assert list(form.to_params()) == [
        "key",
        "api_name",
        "dateline",
        "q",
        "sign",
        "secret",
        "cache",
        "lang",
        "result_type",
    ]


def test_the_body_comes_after_the_query_string() -> None:
    request = read(
        f"{BASE}&page=1&lang=en", body=b'{"page":2,"lang":"ru"}', content_type="application/json; charset=utf-8"
    )
    assert (request.params, request.lang) == ({"page": 2}, Lang.RU)


def test_other_spellings() -> None:
    assert read(f"{BASE}&api=v1/models").method == "v1/models"
    both = read(f"{BASE}&api=x&method=y")
    assert (both.method, both.params) == ("y", {"api": "x"})
    assert read(f"{BASE}&lang=zh-CN").lang is Lang.CN
    assert read(body=b"page=5").params == {"page": "5"}
    assert read(body=b" []", content_type="application/json").params == {}
    assert read(body=b'{"_o_args": {"n": 1}}', content_type="application/json").args == {"n": 1}
    for empty, args in (("", None), ("[]", {}), ("{}", {})):
        assert read(f"{BASE}&_o_args={empty}").args == args
    assert read(f"{BASE}&_o_args[a]=5").args == {"a": "5"}  # an array in a query is the map itself
    assert read("key=k&api_name=custom&sign=x").secret == ""
    assert read("key=k&secret=s", path="/openai/c%75stom/").api_name == "custom"


def test_format_and_language_come_from_parameters_else_from_headers() -> None:
    accepting = {"accept": "application/xml;q=0.9, text/x-php;q=0.8", "accept_language": "ru, en;q=0.5"}
    assert (read(**accepting).result_type, read(**accepting).lang) == (ResultType.XML, Lang.RU)
    chosen = read(f"{BASE}&result_type=serialize&lang=en", **accepting)
    assert (chosen.result_type, chosen.lang) == (ResultType.SERIALIZE, Lang.EN)
    assert (read().result_type, read().lang) == (ResultType.JSON, Lang.CN)


@pytest.mark.parametrize(
    ("accept", "result_type"),
    [("", "json"), ("*/*", "json"), ("text/html", "json"), ("application/json", "json"), ("application/json; charset=utf-8", "jsonu"),
     ("text/xml", "xml"), ("text/html, application/xml;q=0.9, */*;q=0.8", "xml"), ("application/vnd.php.serialized", "serialize"),
     ("text/x-php, application/json;q=0.1", "var_export"), ("application/xml;q=0", "json"), ("application/xml;q=x", "json"),
     ("application/json;q=0, */*;q=0.5", "xml"), ("text/x-php;q=0.2, application/*;q=0.1", "var_export"), ('application/json; charset="utf-8"', "jsonu"),
     (None, "json")],
)  # fmt: skip
def test_accept(accept: str | None, result_type: str) -> None:
    assert read(accept=accept).result_type == result_type


JSON: dict[str, Any] = {"content_type": "application/json"}


@pytest.mark.parametrize(
    ("query", "http", "code", "path"),
    [
        ("", {}, "4014", "$.key"),
        ("key=&secret=s&api_name=custom", {}, "4014", "$.key"),
        ("key=k", {}, "4014", "$.secret"),
        ("key=k&secret=s", {}, "4014", "$.api_name"),
        ("key=k&secret=s", {"path": "/openai/api_call.php"}, "4014", "$.api_name"),
        ("key[]=k", {}, "4003", "$.key"),
        ("key=%ff", {}, "4003", "$.key"),
        (f"{BASE}&%ff=1", {}, "4003", '$["\\\\xff"]'),
        (f"{BASE}&cache=maybe", {}, "4003", "$.cache"),
        (f"{BASE}&result_type=yaml", {}, "4003", "$.result_type"),
        (f"{BASE}&lang=fr", {}, "4003", "$.lang"),
        (f"{BASE}&version[a]=1", {}, "4003", "$.version"),
        (f"{BASE}&method[]=1", {}, "4003", "$.method"),
        (f"{BASE}&_o_args=%7B", {}, "4003", "$._o_args"),
        (f"{BASE}&_o_args=5", {}, "4003", "$._o_args"),
        (BASE, {**JSON, "body": b'{"_o_args": "{\\"a\\": [1, 1e999]}"}'}, "4003", "$._o_args.a[1]"),
        (BASE, {**JSON, "body": b'{" dateline": "x"}'}, "4003", '$[" dateline"]'),
        (BASE, {**JSON, "body": b'{"a.b": 1}'}, "4003", '$["a.b"]'),
        (BASE, {**JSON, "body": b'{"a[b]": 1}'}, "4003", '$["a[b]"]'),
        (BASE, {**JSON, "body": b'{"n\\u0000": 1}'}, "4003", '$["n\\u0000"]'),
        (BASE, {**JSON, "body": b'{"": 1}'}, "4003", '$[""]'),
        (BASE, {**JSON, "body": b'{"a": {"": 1}}'}, "4003", '$.a[""]'),
        (BASE, {**JSON, "body": b'{"a": [{"x]": 1}]}'}, "4003", '$.a[0]["x]"]'),
        (BASE, {**JSON, "body": b'{"a": {"__Host-b": 1}}'}, "4003", '$.a["__Host-b"]'),
        (f"{BASE}&x=%ff", {}, "4003", "$.x"),
        (f"{BASE}&x[%ff]=1", {}, "4003", '$.x["\\\\xff"]'),
        (BASE, {**JSON, "body": b"[1]"}, "4003", "$"),
        (BASE, {**JSON, "body": b'{"a": [1, }'}, "4003", "$.a[1]"),
        (BASE, {**JSON, "body": b'{"lang": 1}'}, "4003", "$.lang"),
        (BASE, {"content_type": "multipart/form-data; boundary=x", "body": b"x"}, "4003", "$"),
        (BASE, {"content_type": "application/json; charset=gbk", "body": b"{}"}, "4003", "$"),
        (f"{BASE}&" + "&".join(["a"] * 1000), {}, "4003", "$"),
        ("key=k&secret=s", {"path": "/openai/no%20api/"}, "4010", "$.api_name"),
        ("key=k&secret=s", {"path": "/openai/" + "x" * 65 + "/"}, "4010", "$.api_name"),
        ("key=k&secret=s", {"path": "/../custom/"}, "4010", "$.api_type"),
        ("key=k&secret=s", {"path": "/openai/a~b"}, "4010", "$.api_name"),
        ("key=k&secret=s", {"path": "/openai/.."}, "4010", "$.api_name"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_has_its_code_and_path(query: str, http: dict[str, Any], code: str, path: str) -> None:
    with pytest.raises(RequestError) as caught:
        read(query, **http)
    assert (caught.value.code, caught.value.path) == (code, path)
    assert isinstance(caught.value, ValidationError)


def test_only_the_given_apis_are_known_but_any_method() -> None:
    http = HttpRequest(query="key=k&secret=s&method=v9/anything", path="/openai/custom/")
    assert ApiRequest.read(http, apis={"custom"}).method == "v9/anything"
    with pytest.raises(RequestError) as caught:
        ApiRequest.read(http, apis={"item_get"})
    assert (caught.value.code, caught.value.path) == ("4010", "$.api_name")


def test_an_error_has_the_callers_format_and_language() -> None:
    for query, result_type, lang in (
        ("result_type=xml&lang=ru", "xml", "ru"),
        ("result_type=yaml&lang=en", "json", "en"),
        ("lang=fr", "xml", "en"),
        ("lang[]=ru&result_type[]=xml", "json", "en"),
    ):
        with pytest.raises(RequestError) as caught:
            read(query, accept="application/xml", accept_language="en")
        assert (caught.value.result_type, caught.value.lang) == (result_type, lang)
    with pytest.raises(RequestError) as caught:  # the query was read before the body was found to be wrong
        read("result_type=serialize&lang=ru", body=b"{", **JSON)
    assert (caught.value.result_type, caught.value.lang, caught.value.code) == ("serialize", "ru", "4003")


@pytest.mark.parametrize("charset", ["UTF-8", "utf8", '"utf-8"', "us-ascii"])
def test_charsets_that_are_utf8(charset: str) -> None:
    assert read(body=b'{"a": 1}', content_type=f"application/json; charset={charset}").params == {"a": 1}


def test_what_cannot_be_read_is_still_answered_as_the_caller_wants() -> None:
    for broken in ("&" + "a&" * 1001, "&a=\0"):
        with pytest.raises(RequestError) as caught:
            read(f"result_type=serialize&lang=ru{broken}")
        assert (caught.value.result_type, caught.value.lang) == ("serialize", "ru")


def test_limits_hold_for_every_carrier() -> None:
    limits = Limits(max_bytes=40)
    for http in (
        HttpRequest(query=BASE + "&a=" + "x" * 40),
        HttpRequest(query=BASE, body=b"a=" + b"x" * 40, content_type="application/x-www-form-urlencoded"),
        HttpRequest(query=BASE, body=b'{"a": "' + b"x" * 40 + b'"}', content_type="application/json"),
    ):
        assert ApiRequest.read(http).params == {"a": "x" * 40}
        with pytest.raises(RequestError, match=r"the limit is 40|longer than 40"):
            ApiRequest.read(http, limits=limits)


def test_limits_hold_for_arguments_and_bodies() -> None:
    deep = json.dumps({"_o_args": json.dumps({"a": [[[1]]]})}).encode()
    http = HttpRequest(query=BASE, body=deep, content_type="application/json")
    assert ApiRequest.read(http).args == {"a": [[[1]]]}
    with pytest.raises(RequestError, match="nested deeper") as caught:
        ApiRequest.read(http, limits=Limits(max_depth=3))
    assert caught.value.path.startswith("$._o_args.a")


SECRETS = ("k3y-of-mine", "s3cret-of-mine", "51GNATURE")


def test_nothing_secret_is_shown() -> None:
    key, secret, sign = SECRETS
    request = ApiRequest(key=key, secret=secret, sign=sign, api_name="custom")
    shown = [repr(request), str(request)]
    for carrier in CARRIERS:
        shown += [repr(request.write(carrier)), str(request.write(carrier))]
    for query in (
        f"key={key}&secret={secret}&sign={sign}&{part}"
        for part in ("", "api_name=a%20b", "api_name=c&cache=1", "api_name=c&_o_args=x")
    ):
        with pytest.raises(RequestError) as caught:
            read(query)
        shown += [repr(caught.value), str(caught.value), repr(vars(caught.value))]
    with pytest.raises(RequestError) as caught:
        read(f"key={key}", body=f'{{"secret": "{secret}", }}'.encode(), **JSON)
    shown += [repr(caught.value), repr(caught.value.__context__), repr(caught.value.__cause__)]
    assert not [text for text in shown if any(word in text for word in SECRETS)]


def test_a_request_made_by_hand_is_checked() -> None:
    mangled: list[Any] = [
        {"api.name": "x"}, {" key": "x"}, {"_o_args[x]": "1"}, {"a": {"": 1}}, {"a": b"x"}, {"a": {1: 2}}, {"a": {1, 2}}, {b"a": 1},
    ]  # fmt: skip
    for params in mangled:
        with pytest.raises(ValueError, match=r" at \$"):
            ApiRequest(key="k", api_name="custom", params=params)
    fields: dict[str, Any] = {
        "dateline": 1,
        "sign": None,
        "version": 2,
        "method": [],
        "cache": "no",
        "args": [1],
        "params": [],
        "key": 7,
    }
    for name, value in fields.items():
        with pytest.raises(TypeError, match=f"{name} is a"):
            ApiRequest(**{"key": "k", "api_name": "custom", name: value})
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    with pytest.raises(ValueError, match="nested deeper"):
        ApiRequest(key="k", api_name="custom", params={"a": deep})
    with pytest.raises(ValueError, match="lang, method"):
        ApiRequest(key="k", api_name="custom", params={"lang": "x", "method": "y", "z": 1})
    with pytest.raises(ValueError, match="api"):
        ApiRequest(key="k", api_name="custom", params={"api": "x"})
    for name in ("", "a/b", "..", "a b", "api_call.php"):
        with pytest.raises(ValueError, match="not a valid API name"):
            ApiRequest(key="k", api_name=name)
    coerced: Any = {"result_type": "xml", "lang": "zh-CN"}
    request = ApiRequest(key="k", api_name="custom", **coerced)
    assert (request.result_type, request.lang) == (ResultType.XML, Lang.CN)
    wrong: Any = "smoke"
    with pytest.raises(TypeError, match="not 'smoke'"):
        request.write(wrong)
    uncarried: list[dict[str, Any]] = [
        {"a": None},
        {"a": []},
        {"a": [None, 1]},
        {f"n{number}": 1 for number in range(1001)},
        {"a": ["x"] * 1001},
        {"a": 2**70},
    ]
    for params in uncarried:
        for carrier in ("query", "form"):
            with pytest.raises(EncodeError):
                ApiRequest(key="k", api_name="custom", params=params).write(carrier)
    numbers = ApiRequest(key="k", secret="s", api_name="custom", params={"a": 1, "b": True, "c": 0.5})
    assert ApiRequest.read(numbers.write("form")).params == {"a": "1", "b": "1", "c": "0.5"}


def test_a_secret_that_cannot_be_written_is_not_shown() -> None:
    request = ApiRequest(key="k", secret="TOPSECRET\ud800", api_name="custom")
    for carrier in CARRIERS:
        with pytest.raises(EncodeError) as caught:
            request.write(carrier)
        assert "TOPSECRET" not in repr([caught.value, caught.value.__context__, caught.value.__cause__])


@given(
    st.builds(
        HttpRequest,
        path=st.sampled_from(["", "/openai/custom/", "/a", "//", "/%ff/%00/"]) | st.text(max_size=10),
        query=st.sampled_from([BASE, "key=k"]) | st.binary(max_size=30) | st.text("key=&[]%secrtapi_nmx5", max_size=40),
        body=st.binary(max_size=30) | st.text('{}[]":_o_args,1', max_size=30).map(str.encode),
        content_type=st.sampled_from(["", "application/json", "application/x-www-form-urlencoded", "text/plain"])
        | st.text(max_size=10),
        accept=st.text(max_size=10),
        accept_language=st.text(max_size=10),
    )
)
def test_any_http_is_a_call_or_a_request_error(http: HttpRequest) -> None:
    try:
        ApiRequest.read(http)
    except RequestError as error:
        assert error.code in ("4003", "4010", "4014")
        assert error.result_type in list(ResultType)
        assert error.lang in list(Lang)


def test_values_that_are_large_in_python_alone_are_refused() -> None:
    shared: list[Any] = [1]
    for _ in range(40):
        shared = [shared, shared]
    with pytest.raises(ValueError, match="more than 2000000 items"):
        ApiRequest(key="k", api_name="custom", params={"a": shared})
    large = ApiRequest(key="k", api_name="custom", params={"a": 10**5000})
    with pytest.raises(EncodeError, match="an int beyond 64 bits"):
        signature(large, "s")
    for key_of in (cache_key, client_cache_key):
        with pytest.raises(EncodeError, match="an int beyond 64 bits"):
            key_of(large)


def test_a_path_is_not_longer_than_servers_let_through() -> None:
    with pytest.raises(RequestError) as info:
        read(path="/a/" + "%e9" * 3000)
    assert info.value.code == "4010"


@pytest.mark.parametrize("api_type", ["../x", "a/b", "api_call.php", "a b"])
def test_the_type_of_an_api_is_a_name_wherever_it_comes_from(api_type: str) -> None:
    with pytest.raises(ValueError, match="not a valid API name"):
        ApiRequest.from_params({"key": "k", "secret": "s", "api_name": "custom"}, api_type=api_type)
    wrong: Any = 7
    with pytest.raises(TypeError, match="api_type is a str"):
        ApiRequest.from_params({"key": "k", "secret": "s", "api_name": "custom"}, api_type=wrong)
