"""The grammar of methods, and how each is asked."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope import RequestError
from envelope.calls import METHODS
from envelope.gateway.upstreams.call import UpstreamCall
from envelope.gateway.upstreams.methods import HOW, MAX_METHOD, MAX_SEGMENTS, check_method, how_to_ask
from tests.gateway.calls import upload

SEGMENTS = st.text("abcXYZ019_-", min_size=1, max_size=12)
DOTTED = st.lists(SEGMENTS, min_size=1, max_size=3).map(".".join)
METHOD = (
    st.tuples(SEGMENTS, st.lists(DOTTED, max_size=MAX_SEGMENTS - 1))
    .map(lambda parts: "/".join([parts[0], *parts[1]]))
    .filter(lambda text: len(text) <= MAX_METHOD)
)

ESCAPES = [
    ".", "..", "../v1", "v1/../admin", "v1/./models", "/v1/models", "a.b", "v1/.x", "v1/x.", "v1/x..y", "v1//models", "v1/models/", "//evil.example/v1",
    "http://evil.example", "http:evil", "v1/models?x=1", "v1/models#x", "v1/models\r\nHost: evil", "v1/models\n", "v1%2fmodels",
    "v1/%2e%2e/x", "v1\\models", "v1/models;x", "v1/模型", "v1/models ", " v1", "\0", "v1/m@evil", "a/b/c/d/e/f/g/h/i", "x" * 129,
]  # fmt: skip


@pytest.mark.parametrize("method", ESCAPES)
def test_what_keeps_not_to_the_grammar_is_no_api(method: str) -> None:
    with pytest.raises(RequestError) as caught:
        how_to_ask(UpstreamCall(method=method))
    assert (caught.value.code, caught.value.path) == ("4010", "$.method")
    assert method.strip() not in str(caught.value) or len(method.strip()) < 4


def test_a_missing_method() -> None:
    with pytest.raises(RequestError) as caught:
        check_method("")
    assert caught.value.code == "4014"


@given(st.text(max_size=20) | METHOD)
def test_a_method_never_leaves_the_address(method: str) -> None:
    try:
        path = how_to_ask(UpstreamCall(method=method)).path
    except RequestError:
        return
    parts = urlsplit(f"https://a.example/base/{path}")
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("https", "a.example", "", "")
    assert parts.path == f"/base/{method}"


@pytest.mark.parametrize("method", METHODS)
def test_the_documents_methods_are_asked(method: str) -> None:
    check_method(method)
    with_args = how_to_ask(UpstreamCall(method=method, args={"prompt": "地球"}))
    if HOW.get(method) == "query":
        assert (with_args.verb, with_args.json, with_args.is_form) == ("GET", None, False)
    elif HOW.get(method) == "form":
        assert (with_args.verb, with_args.fields, with_args.is_form) == ("POST", (("prompt", "地球"),), True)
    else:
        assert (with_args.verb, with_args.json) == ("POST", '{"prompt":"地球"}'.encode())


ARGS: Any = st.none() | st.dictionaries(st.text(max_size=5), st.integers(0, 9) | st.text(max_size=5), max_size=4)
PARAMS: Any = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=4)


@given(METHOD, ARGS, PARAMS, st.booleans())
def test_arguments_win_over_parameters_and_nothing_is_lost(
    method: str, args: Any, params: Any, has_files: bool
) -> None:
    files = (upload(b"x"),) if has_files else ()
    ask = how_to_ask(UpstreamCall(method=method, args=args, params=params, files=files))
    meant = {**params, **(args or {})}
    if ask.json is not None:
        assert orjson.loads(ask.json) == meant
    elif ask.is_form:
        assert dict(ask.fields) == {name: str(value) for name, value in meant.items()}
        assert ask.files == files
    else:
        assert dict(parse_qsl(urlsplit(ask.path).query, keep_blank_values=True)) == {
            name: str(value) for name, value in meant.items()
        }


@given(METHOD.filter(lambda method: method not in HOW), ARGS, PARAMS, st.booleans())
def test_any_other_method_is_asked_by_one_rule(method: str, args: Any, params: Any, has_files: bool) -> None:
    ask = how_to_ask(UpstreamCall(method=method, args=args, params=params, files=(upload(b"x"),) if has_files else ()))
    assert ask.verb == ("GET" if args is None and not has_files else "POST")
    assert ask.is_form == has_files


def test_lists_and_maps_in_a_form() -> None:
    args = {"a": [1, True], "b": {"c": "d", "e": [None, 1.5]}, "f": None, "g": False}
    ask = how_to_ask(UpstreamCall(method="v1/images/edits", args=args))
    assert ask.fields == (("a[]", "1"), ("a[]", "true"), ("b[c]", "d"), ("b[e][]", "1.5"), ("g", "false"))


@pytest.mark.parametrize("value", [b"x", 2**64, "\ud800", {1: 2}])
@pytest.mark.parametrize("method", ["v1/completions", "v1/audio/transcriptions", "v1/models"])
def test_arguments_that_cannot_be_sent(method: str, value: Any) -> None:
    from envelope.gateway.upstreams.forms import FormBody

    def sent() -> None:
        ask = how_to_ask(UpstreamCall(method=method, args={"prompt": value}))
        if ask.is_form:
            FormBody(ask)

    if method != "v1/completions" and value in (2**64, {1: 2}):
        return sent()  # as text
    with pytest.raises(RequestError) as caught:
        sent()
    assert caught.value.code == "4003"
    return None
