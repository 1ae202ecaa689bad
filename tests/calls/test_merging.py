"""A call's query and body as one: PHP's $_REQUEST, for forms and JSON bodies alike."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given

from envelope import same
from envelope.calls.http import HttpRequest
from envelope.calls.merging import merge_params
from envelope.calls.php_query import build_query, parse_query
from envelope.calls.request import ApiRequest
from tests.calls.php_merge_run import compare, php_server
from tests.strategies import carried

BASE = "key=k&secret=s&api_name=custom"


@pytest.mark.parametrize(
    ("query", "form", "merged"),
    [
        ("a[x]=1", "a[y]=2", {"a": {"x": "1", "y": "2"}}),
        ("a[x]=1&b=2", "a[x]=3", {"a": {"x": "3"}, "b": "2"}),
        ("a[]=1&a[]=2", "a[]=3", {"a": ["3", "2"]}),
        ("a[]=1", "a[1]=2", {"a": ["1", "2"]}),
        ("a[1]=1", "a[]=2", {"a": {"1": "1", "0": "2"}}),
        ("a[x]=1", "a[]=2", {"a": {"x": "1", "0": "2"}}),
        ("a[x][]=1", "a[x][y]=2", {"a": {"x": {"0": "1", "y": "2"}}}),
        ("a[x]=1&b=2", "a=3", {"a": "3", "b": "2"}),
        ("a=1&b=2", "a[x]=3", {"a": {"x": "3"}, "b": "2"}),
        ("", "a=1", {"a": "1"}),
    ],
)
def test_arrays_merge_and_anything_else_replaces(query: str, form: str, merged: dict[str, Any]) -> None:
    assert same(merge_params(parse_query(query), parse_query(form)), merged)
    form_type = "application/x-www-form-urlencoded"
    http = HttpRequest(query=f"{BASE}&{query}", body=form.encode(), content_type=form_type)
    assert same(ApiRequest.read(http).params, merged)


@pytest.mark.parametrize(
    ("query", "body", "merged"),
    [
        ("a[x]=1", b'{"a": {"y": 2}}', {"a": {"x": "1", "y": 2}}),
        ("a[]=1", b'{"a": [2, 3]}', {"a": [2, 3]}),
        ("a[x]=1", b'{"a": []}', {"a": {"x": "1"}}),
        ("a[x]=1", b'{"a": null}', {"a": None}),
        ("a=1", b'{"a": {"0": 2}}', {"a": {"0": 2}}),  # replaced, so as the body has it
    ],
)
def test_a_json_body_merges_like_a_form(query: str, body: bytes, merged: dict[str, Any]) -> None:
    http = HttpRequest(query=f"{BASE}&{query}", body=body, content_type="application/json")
    assert same(ApiRequest.read(http).params, merged)


@given(carried(), carried())
def test_the_laws_of_merging(query: dict[str, Any], body: dict[str, Any]) -> None:
    before = deepcopy((query, body))
    merged = merge_params(query, body)
    assert (query, body) == before
    assert same(merge_params(merged, body), merged)
    assert same(merge_params(query, {}), query)
    assert same(merge_params({}, body), body)
    assert list(merged) == list(query | body)
    assert same(parse_query(build_query(merged)), merged)


@pytest.mark.php
def test_random_calls_are_merged_as_php_merges_them() -> None:
    with php_server() as port:
        assert compare(port, 1, 300) == []
