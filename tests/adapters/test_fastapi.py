from __future__ import annotations

import gzip
from decimal import Decimal
from typing import Any

import pytest

from envelope.answers.envelope import Envelope
from envelope.calls.engine import Engine
from envelope.errors import RequestError
from envelope.formats import ResultType
from envelope.limits import Limits
from envelope.registry.codes import REGISTRY
from envelope.registry.languages import Lang

pytest.importorskip("fastapi")

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.routing import Route
from starlette.testclient import TestClient

from envelope.adapters.asgi import ASGIApp, EnvelopeMiddleware
from envelope.adapters.fastapi import CurrentCall, CurrentCaller, install


class Line(BaseModel):
    price: Decimal


class Item(BaseModel):
    name: str
    items: list[Line] = []


ENGINE = Engine(on_error=lambda error: None, request_limits=Limits(max_bytes=10_000))


def make_app() -> FastAPI:  # noqa: C901  # many routes
    app = FastAPI()
    install(app, ENGINE)

    @app.get("/model")
    def model(name: str = "a") -> Item:
        return Item(name=name, items=[Line(price=Decimal("1.10"))])

    @app.get("/envelope")
    async def envelope(code: str = "0000") -> Envelope[Item]:
        if code != "0000":
            return Envelope.fail(code)
        return Envelope.ok(Item(name="a"), last_id="7", extras={"receipt": {"charge": 1}})

    @app.get("/either", response_model=Envelope[Item])
    def either() -> Any:
        return {"name": "a", "items": [], "hidden": 1}

    @app.get("/untyped", response_model=None)
    def untyped(code: str = "0000") -> Any:
        return {"a": 1} if code == "0000" else Envelope.fail(code)

    @app.post("/items", status_code=201)
    def items(item: Item, caller: CurrentCaller) -> dict[str, str]:
        return {"name": item.name, "lang": caller.lang}

    @app.post("/openai/{api_name}/")
    @app.get("/openai/{api_name}/", operation_id="get_call")
    def call(call: CurrentCall) -> dict[str, Any]:
        files = [file.file.read().decode() for file in call.files]
        return {"name": call.api_name, "method": call.method, "params": call.params, "files": files}

    @app.get("/fail/{way}")
    def fail(way: str, request: Request) -> Any:
        if way == "crash":
            raise KeyError("swordfish")
        if way == "refuse":
            raise RequestError("no such model", code="4010", path="$.model")
        if way == "html":
            return HTMLResponse("<html>", 500)
        raise HTTPException(int(way), headers={"Retry-After": "7"})

    @app.get("/redirect")
    def redirect() -> Any:
        return RedirectResponse("/model")

    @app.get("/stream")
    def stream() -> Any:
        return StreamingResponse(iter(["a", "b"]), media_type="text/plain")

    router = APIRouter(prefix="/more")

    @router.get("/model")
    def more() -> Item:
        return Item(name="more")

    app.include_router(router)

    async def break_down(request: Request, pass_on: Any) -> Any:
        if "break" in request.query_params:
            raise KeyError("in a middleware")
        return await pass_on(request)

    app.add_middleware(BaseHTTPMiddleware, dispatch=break_down)
    return app


def make_starlette() -> ASGIApp:
    def crash(request: Request) -> Any:
        raise KeyError("swordfish")

    def refuse(request: Request) -> Any:
        raise HTTPException(401, headers={"WWW-Authenticate": "Basic"})

    return EnvelopeMiddleware(Starlette(routes=[Route("/fail/crash", crash), Route("/fail/401", refuse)]), ENGINE)


APP = make_app()
CLIENT = TestClient(APP)
STARLETTE = TestClient(make_starlette())


def parsed(response: Any) -> Envelope[Any]:
    assert response.headers["content-length"] == str(len(response.content))
    envelope = ENGINE.parse(response.content, response.headers["content-type"])
    assert not envelope.notes
    return envelope


@pytest.mark.parametrize("name", list(ResultType))
def test_a_route_answers_in_the_format_and_language_asked_for(name: ResultType) -> None:
    for lang in Lang:
        query = f"result_type={name}&lang={lang}"
        model = CLIENT.get(f"/model?{query}")
        assert parsed(model).response == {"name": "a", "items": [{"price": "1.10"}]}
        assert model.headers["content-language"] == lang.tag
        answer = parsed(CLIENT.get(f"/envelope?{query}"))
        assert (answer.response, answer.last_id, answer.extras) == (
            {"name": "a", "items": []}, "7", {"receipt": {"charge": 1}},
        )  # fmt: skip
        poor = CLIENT.get(f"/envelope?code=4016&{query}")
        assert (poor.status_code, parsed(poor).reason) == (402, REGISTRY["4016"].text(lang))
        assert parsed(CLIENT.get(f"/untyped?code=4016&{query}")) == parsed(poor)
        assert parsed(CLIENT.get(f"/either?{query}")).response == {"name": "a", "items": []}
        assert parsed(CLIENT.get(f"/untyped?{query}")).response == {"a": 1}
        assert parsed(CLIENT.get(f"/more/model?{query}")).response == {"name": "more", "items": []}


WAYS: list[tuple[str, str, int, str, str]] = [
    ("GET", "/none", 404, "4010", ""),
    ("DELETE", "/model", 405, "4010", ""),
    ("GET", "/model?break=1", 500, "5000", ""),
    ("GET", "/fail/crash", 500, "5000", ""),
    ("GET", "/fail/html", 500, "5000", ""),
    ("GET", "/fail/refuse", 404, "4010", "model"),
    ("GET", "/fail/401", 401, "4005", ""),
    ("GET", "/fail/413", 413, "4003", ""),
    ("GET", "/fail/422", 422, "4003", ""),
    ("GET", "/fail/429", 429, "4008", ""),
    ("GET", "/fail/503", 503, "4009", ""),
    ("POST", "/items", 400, "4014", "the body"),
    ("POST", "/items {", 400, "4003", "the body"),
    ("POST", '/items {"items":[]}', 400, "4014", "name"),
    ("POST", '/items {"name":"a","items":[{"price":1},{"price":"x"}]}', 400, "4003", "items[1].price"),
    ("POST", '/items {"name":"a","items":[{}]}', 400, "4014", "items[0].price"),
    ("POST", f"/items {'x' * 10_001}", 413, "4003", "the body is longer than 10000 bytes"),
    ("GET", "/openai/custom/?_o_args=x", 400, "4003", "_o_args"),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: " ".join(map(str, way))[:60])
@pytest.mark.parametrize("name", list(ResultType))
def test_every_way_to_fail_is_an_envelope(way: tuple[str, str, int, str, str], name: ResultType) -> None:
    method, target, status, code, about = way
    url, _, body = target.partition(" ")
    headers = {"Content-Type": "application/json"} if body else {}
    for lang in Lang:
        query = f"{'&' if '?' in url else '?'}result_type={name}&lang={lang}"
        response = CLIENT.request(method, url + query, content=body.encode(), headers=headers)
        answer = parsed(response)
        assert (response.status_code, answer.error_code) == (status, code)
        text = REGISTRY[code].text(lang)
        assert answer.reason == (f"{text}: {about}" if about else text)
        assert (answer.error, answer.response) == (REGISTRY[code].message, [])
        assert response.headers["content-language"] == lang.tag
        assert b"swordfish" not in response.content
        if status == 405:
            assert response.headers["allow"] == "GET"
        if url.startswith(("/fail/4", "/fail/503")):
            assert response.headers["retry-after"] == "7"


@pytest.mark.parametrize("name", list(ResultType))
def test_starlette_fails_with_envelopes_through_the_wrapper_alone(name: ResultType) -> None:
    for lang in Lang:
        for method, url, status, code in (
            ("GET", "/none", 404, "4010"),
            ("POST", "/fail/401", 405, "4010"),
            ("GET", "/fail/401", 401, "4005"),
            ("GET", "/fail/crash", 500, "5000"),
        ):
            response = STARLETTE.request(method, f"{url}?result_type={name}&lang={lang}")
            assert (response.status_code, parsed(response).error_code) == (status, code)
            assert parsed(response).reason == REGISTRY[code].text(lang)
    assert STARLETTE.get("/fail/401").headers["www-authenticate"] == "Basic"


def test_an_unknown_format_or_language_is_refused_before_the_route() -> None:
    for query in ("result_type=yaml", "lang=fr"):
        answer = parsed(CLIENT.get(f"/model?{query}"))
        assert (answer.error_code, answer.reason.rpartition(": ")[2]) == ("4003", query.partition("=")[0])


def test_the_format_may_be_in_the_body() -> None:
    body = {"name": "a", "result_type": "xml", "lang": "ru"}
    response = CLIENT.post("/items", json=body)
    assert (response.status_code, response.headers["content-type"]) == (201, "application/xml; charset=utf-8")
    assert parsed(response).response == {"name": "a", "lang": "ru"}
    packed = gzip.compress(b'{"name":"b"}')
    assert parsed(CLIENT.post("/items", content=packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})).response["name"] == "b"  # fmt: skip


def test_the_call_of_a_route_is_read_in_every_carrier() -> None:
    expected = {"name": "custom", "method": "m", "params": {"q": "1"}, "files": []}
    url = "/openai/custom/"
    assert parsed(CLIENT.get(f"{url}?method=m&q=1")).response == expected
    assert parsed(CLIENT.post(url, data={"method": "m", "q": "1"})).response == expected
    assert parsed(CLIENT.post(url, json={"method": "m", "q": "1"})).response == expected
    form = CLIENT.post(url, data={"method": "m", "q": "1"}, files={"f": ("f.txt", b"abc")})
    assert parsed(form).response == expected | {"files": ["abc"]}


@pytest.mark.parametrize(("length", "status"), [(100, 200), (101, 413)])
def test_the_files_of_a_route_are_as_long_as_installed(length: int, status: int) -> None:
    app = FastAPI()
    install(app, ENGINE, max_files_bytes=100)

    @app.post("/{api_type}/{api_name}/")
    def call(call: CurrentCall) -> int:
        return call.files[0].size

    answer = TestClient(app).post("/a/b/?lang=en", files={"f": ("f.txt", b"x" * length)})
    assert (answer.status_code, parsed(answer).error_code) == (status, "0000" if status == 200 else "4003")
    assert answer.headers["content-language"] == "en"


def test_what_is_no_failure_and_no_payload_passes() -> None:
    assert CLIENT.get("/redirect", follow_redirects=False).status_code == 307
    assert CLIENT.get("/stream").text == "ab"
    assert CLIENT.get("/docs").status_code == 200
    options = CLIENT.options("/model")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, OPTIONS")


def test_the_document_is_valid_and_shows_what_is_sent() -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    document = CLIENT.get("/openapi.json").json()
    validator.validate(document)
    assert document == CLIENT.get("/openapi.json").json()
    get = document["paths"]["/envelope"]["get"]
    content = get["responses"]["200"]["content"]
    assert len(content) == 5
    [whole, own] = content["application/json"]["schema"]["allOf"]
    assert whole == {"$ref": "#/components/schemas/Envelope"}
    assert {"$ref": "#/components/schemas/Item-Output"} in own["properties"]["response"]["anyOf"]
    model = document["paths"]["/model"]["get"]["responses"]["200"]["content"]["application/xml; charset=utf-8"]
    assert model["schema"]["type"] == "string"
    assert {"result_type", "lang", "name"} == {
        each["name"] for each in document["paths"]["/model"]["get"]["parameters"]
    }
    responses = document["paths"]["/items"]["post"]["responses"]
    assert "422" not in responses
    assert responses["400"] == {"$ref": "#/components/responses/400"}
    assert "HTTPValidationError" not in str(document)
    codes = document["components"]["schemas"]["Envelope"]["properties"]["error_code"]["anyOf"]
    assert [row["const"] for row in codes[:-1]] == [row.code for row in REGISTRY]
    for lang in Lang:
        assert REGISTRY["4016"].text(lang) in str(codes)
    assert set(document["components"]["responses"]["402"]["content"]) == set(content)


def test_install_comes_first() -> None:
    app = FastAPI()
    app.get("/")(lambda: 1)
    with pytest.raises(RuntimeError, match="before the first route"):
        install(app, ENGINE)


def test_an_envelope_of_a_model_is_known_to_pydantic() -> None:
    kind: TypeAdapter[Envelope[Item]] = TypeAdapter(Envelope[Item])
    wire = {"response": {"name": "a"}, "error": "", "reason": "", "error_code": "0000", "request_id": "1", "last_id": "", "x": 1}  # fmt: skip
    read = kind.validate_python(wire)
    assert read == Envelope(response=Item(name="a"), request_id="1", extras={"x": 1})
    assert kind.validate_python(read) == read
    assert kind.validate_python(Item(name="a")) == Envelope.ok(Item(name="a"))
    assert kind.validate_python(Envelope.fail("4016")) == Envelope.fail("4016")
    assert kind.dump_python(read)["response"] == {"name": "a", "items": []}
    with pytest.raises(ValidationError, match="name"):
        kind.validate_python({"items": []})
    schema = kind.json_schema(mode="serialization")
    assert set(schema["properties"]) == {"response", "error", "reason", "error_code", "request_id", "last_id"}
    anything: TypeAdapter[Envelope[Any]] = TypeAdapter(Envelope)
    assert anything.validate_python(5).response == 5
