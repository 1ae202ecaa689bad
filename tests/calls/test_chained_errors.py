"""Errors of bad calls hold none of the caller's values: neither they nor the errors that they are chained to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

import envelope
from envelope import EncodeError, Lang, ResultType
from envelope.calls.cache_keys import cache_key, client_cache_key
from envelope.calls.engine import Engine
from envelope.calls.http import HttpRequest
from envelope.calls.media import format_of_content_type
from envelope.calls.openapi import openapi_document
from envelope.calls.php_query import build_query, parse_query
from envelope.calls.request import ApiRequest
from envelope.calls.signing import signature, verify
from envelope.formats import get_format

MARK = "5ECRET"
# Errors repeat the beginnings of names.
LONG = "x" * 50 + MARK
BASE: dict[str, Any] = {"key": "k", "secret": "s", "api_name": "custom"}
QUERY = "key=k&secret=s&api_name=custom"
JSON = "application/json"


def read(query: str, body: str = "", content_type: str = "") -> Callable[[], object]:
    return lambda: ApiRequest.read(HttpRequest(query=query, body=body.encode(), content_type=content_type))


def taken(**params: Any) -> Callable[[], object]:
    return lambda: ApiRequest.from_params({**BASE, **params})


def made(**fields: Any) -> Callable[[], object]:
    return lambda: ApiRequest(**{"key": "k", "api_name": "custom", **fields})


def dated(dateline: str) -> Callable[[], object]:
    call = ApiRequest(key="k", api_name="custom", dateline=dateline)
    return lambda: verify(replace(call, sign=signature(call, MARK)), MARK, lambda: 0)


BAD: list[Callable[[], object]] = [
    read(f"{QUERY}&result_type={LONG}"),
    read(f"{QUERY}&lang={LONG}"),
    read(f"{QUERY}&cache={MARK}"),
    read(f"{QUERY}&_o_args={MARK}"),
    read(f"{QUERY}&_o_args=%22{MARK}%22"),
    read(f"{QUERY}&method[]={MARK}"),
    read(f"{QUERY}&q={MARK}\0"),
    read(f"{QUERY}&q={MARK}\ud800"),
    read(f"{QUERY}&q={MARK}%ff"),
    read(f"{QUERY}&" + f"q={MARK}&" * 1000),
    read(f"{QUERY}&q{'[x]' * 65}={MARK}"),
    read(QUERY, f'{{"a": "{MARK}", }}', JSON),
    read(QUERY, f'"{MARK}"', JSON),
    read(QUERY, f'{{"lang": ["{MARK}"]}}', JSON),
    read(QUERY, f'{{"result_type": {{"{MARK}": 1}}}}', JSON),
    read(QUERY, f'{{"_o_args": ["{MARK}"]}}', JSON),
    read(QUERY, f'{{"a": {{"": "{MARK}"}}}}', JSON),
    read(QUERY, MARK, f"text/{MARK}"),
    read(QUERY, MARK, f"application/json; charset={MARK}"),
    read(f"key=k&secret={MARK}&api_name={LONG}/"),
    taken(result_type=LONG),
    taken(lang=LONG),
    taken(lang=[MARK]),
    taken(_o_args=f"{MARK}\ud800"),
    taken(_o_args=f'{{"a": 1e999, "b": "{MARK}"}}'),
    taken(q={MARK}),
    taken(q=MARK.encode()),
    made(result_type=LONG),
    made(lang=LONG),
    made(api_name=f"/{LONG}"),
    made(params={"q": {MARK}}),
    made(params={"q": [MARK, b"x"]}),
    made(dateline=[MARK]),
    made(result_type=[MARK]),
    made(lang=[MARK]),
    dated(LONG),
    dated("2023-02-30 10:03:24"),
    dated("2023-02-20 10:03:24"),
    lambda: verify(ApiRequest(key="k", api_name="custom", secret=MARK), f"{MARK}!", lambda: 0),
    lambda: verify(ApiRequest(key="k", api_name="custom", sign=MARK), MARK, lambda: 0),
    lambda: verify(ApiRequest(key="k", api_name="custom", sign="x", params={"q": [MARK]}), MARK, lambda: 0),
    lambda: Engine(secrets=lambda key: None, clock=lambda: 0).read(HttpRequest(query=f"{QUERY}&q={MARK}")),
    lambda: Engine().parse(MARK.encode(), JSON),
    lambda: Engine().parse(MARK.encode(), result_type=LONG),
    lambda: Engine().parse(b"", LONG),
    lambda: signature({"q": [MARK]}, MARK),
    lambda: client_cache_key(ApiRequest(key="k", api_name="custom", params={"q": [MARK]})),
    lambda: cache_key(ApiRequest(key="k", api_name="custom", params={"q": f"{MARK}\ud800"})),
    lambda: cache_key(ApiRequest(key="k", api_name="custom", args={"q": {MARK}})),
    lambda: ApiRequest(key="k", api_name="custom", secret=f"{MARK}\ud800").write("form"),
    lambda: ApiRequest(key="k", api_name="custom", secret=f"{MARK}\ud800").write("json"),
    lambda: build_query({"q": f"{MARK}\ud800"}),
    lambda: build_query({"q": {MARK}}),
    lambda: parse_query(f"q={MARK}\ud800"),
    lambda: format_of_content_type(LONG),
    lambda: format_of_content_type(f"application/json; charset={MARK}"),
    lambda: openapi_document(api_type=f"/{LONG}"),
    lambda: openapi_document(lang=LONG),
    lambda: get_format(LONG),
    lambda: get_format(MARK.encode()),  # type: ignore[arg-type]
    lambda: envelope.loads(MARK.encode(), LONG),
    lambda: envelope.dumps(MARK, LONG),
    lambda: envelope.convert(MARK.encode(), LONG, "json"),
    lambda: ResultType(LONG),
    lambda: ResultType([MARK]),  # type: ignore[arg-type]
    lambda: Lang(LONG),
]


def chained(error: BaseException) -> Iterator[BaseException]:
    """*error*, what it is chained to, and the errors that the frames of its traceback hold."""
    pending, seen = [error], set()
    while pending:
        error = pending.pop()
        if id(error) in seen:
            continue
        seen.add(id(error))
        yield error
        pending += [linked for linked in (error.__cause__, error.__context__) if linked is not None]
        at = error.__traceback__
        while at is not None:
            pending += [value for value in at.tb_frame.f_locals.values() if isinstance(value, BaseException)]
            at = at.tb_next


@pytest.mark.parametrize("bad", BAD)
def test_no_chained_error_holds_a_callers_value(bad: Callable[[], object]) -> None:
    with pytest.raises((envelope.EnvelopeError, ValueError, TypeError)) as caught:
        bad()
    for error in chained(caught.value):
        assert MARK not in f"{error} {error!r} {error.args} {vars(error)}"


def test_the_walk_finds_what_is_chained() -> None:
    def hide() -> None:
        try:
            int(MARK)
        except ValueError:
            raise EncodeError("hidden only") from None

    with pytest.raises(EncodeError) as caught:
        hide()
    assert any(MARK in str(error) for error in chained(caught.value))
