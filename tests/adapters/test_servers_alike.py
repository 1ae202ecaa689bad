"""ASGI and WSGI decide alike: the same failure of an app leaves both wrappers as the same answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope import Envelope, encode
from envelope.adapters import asgi, wsgi
from envelope.adapters.multipart import TooLarge
from envelope.calls.engine import Engine
from envelope.errors import RequestError
from tests.adapters import wsgi_client
from tests.adapters.asgi_client import call

ENGINE = Engine(on_error=lambda error: None)
JSON = ("Content-Type", "application/json")
OURS = [JSON, ("Content-Language", "en"), ("Vary", "Accept, Accept-Language")]
HEADERS = st.sampled_from(
    [
        JSON,
        *OURS,
        ("Content-Type", "text/html"),
        ("Content-Encoding", "gzip"),
        ("Cache-Control", "no-store"),
        ("Expires", "0"),
        ("Allow", "GET, PUT"),
        ("Set-Cookie", "a=b"),
        ("ETag", "x"),
        ("VARY", "Origin"),
    ]
)
BODIES = st.sampled_from(
    [b"", b"<html>", b'{"detail":1}', encode(Envelope.fail("4016"), "json"), encode(Envelope.ok([1]), "json")]
)

Shown = tuple[int, list[tuple[str, str]], bytes]


def both(verb: str, query: str, status: int, headers: list[tuple[str, str]], body: bytes, error: Exception | None) -> tuple[Shown, Shown]:  # fmt: skip
    """What an app that answers so, or raises *error*, answers inside each wrapper."""

    async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
        if error is not None:
            raise error
        pairs = [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    def wsgi_app(environ: Any, start: Any) -> list[bytes]:
        if error is not None:
            raise error
        start(f"{status} Failure", list(headers))
        return [body]

    first = call(asgi.EnvelopeMiddleware(asgi_app, ENGINE), verb, f"/a/b/?{query}")
    environ = wsgi_client.environ_of(verb, "/a/b/", query)
    second = wsgi_client.called(wsgi.EnvelopeMiddleware(wsgi_app, ENGINE), environ, checked=False)
    pairs = [(name.decode().lower(), value.decode()) for name, value in first.headers]
    return (first.status, pairs, first.body), (
        second.status,
        [(name.lower(), value) for name, value in second.pairs],
        second.body,
    )


@given(
    st.sampled_from(["GET", "HEAD", "POST", "OPTIONS"]),
    st.sampled_from(["", "result_type=xml&lang=ru", "result_type=yaml"]),
    st.sampled_from([400, 404, 405, 413, 422, 429, 500, 503]),
    st.lists(HEADERS, max_size=6),
    BODIES,
)
def test_the_same_failure_is_the_same_answer(
    verb: str, query: str, status: int, headers: list[tuple[str, str]], body: bytes
) -> None:
    first, second = both(verb, query, status, headers, b"" if verb == "HEAD" else body, None)
    assert first == second


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyError("x"), 500), (RequestError("no", code="4015"), 400), (TooLarge("the form is too long"), 413)],
)
def test_what_is_raised_is_the_same_answer(error: Exception, status: int) -> None:
    first, second = both("GET", "lang=en", 0, [], b"", error)
    assert first == second
    assert first[0] == status


def test_a_failure_that_says_success_is_no_envelope_of_a_failure() -> None:
    for shown in both("GET", "", 500, [JSON], encode(Envelope.ok([1]), "json"), None):
        assert ENGINE.parse(shown[2], "application/json").error_code == "5000"


def test_who_may_keep_an_answer_is_kept() -> None:
    kept = [("cache-control", "no-store"), ("expires", "0")]
    for _, pairs, _ in both("GET", "", 404, kept, b"<html>", None):
        assert pairs[:2] == kept
