"""What a route of Starlette or Litestar raises: the wrapper answers it, although the framework has made a 500 of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envelope import RequestError
from envelope.adapters.asgi import ASGIApp, EnvelopeMiddleware, note_failure
from envelope.calls.engine import Engine


def refuse() -> Any:
    raise RequestError("too many", code="4008", path="$.n")


def crash() -> Any:
    raise KeyError("swordfish")


def make_starlette() -> ASGIApp:
    starlette = pytest.importorskip("starlette.applications").Starlette
    route = pytest.importorskip("starlette.routing").Route
    gone = pytest.importorskip("starlette.exceptions").HTTPException(404)

    def missing(_: Any) -> Any:
        raise gone

    routes = [route("/refuse", lambda _: refuse()), route("/crash", lambda _: crash()), route("/missing", missing)]
    app: ASGIApp = starlette(routes=routes)
    return app


def make_litestar() -> ASGIApp:
    litestar = pytest.importorskip("litestar")
    get, missing = litestar.get, pytest.importorskip("litestar.exceptions").NotFoundException

    def fail() -> None:
        raise missing

    routes = [
        get(path, sync_to_thread=False)(_returning_none(raised))
        for path, raised in (("/refuse", refuse), ("/crash", crash), ("/missing", fail))
    ]
    app: ASGIApp = litestar.Litestar(routes, after_exception=[note_failure])
    return app


def _returning_none(raised: Callable[[], Any]) -> Callable[[], None]:
    def route() -> None:
        raised()

    return route


@pytest.mark.parametrize("make", [make_starlette, make_litestar])
def test_what_a_route_raises_is_answered_and_told_once(make: Callable[[], ASGIApp]) -> None:
    test_client = pytest.importorskip("starlette.testclient").TestClient
    told: list[Exception] = []
    engine = Engine(on_error=told.append)
    client = test_client(EnvelopeMiddleware(make(), engine))

    def answer(path: str) -> tuple[int, str, str]:
        response = client.get(path, params={"lang": "en", "result_type": "xml"})
        envelope = engine.parse(response.content, response.headers["content-type"])
        return response.status_code, envelope.error_code, envelope.reason

    assert answer("/refuse") == (429, "4008", "Too many calls at the same time: n")
    assert answer("/missing")[:2] == (404, "4010")
    assert not told
    assert answer("/crash") == (500, "5000", "Unknown error")
    assert [type(error) for error in told] == [KeyError]
