"""`/js/obapi.js` in Chromium: a page of another origin makes calls that its own server signs, as docs/how-to/browser.md shows."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from envelope.registry.codes import REGISTRY
from envelope.registry.languages import Lang
from tests import chromium
from tests.documents import text_of
from tests.gateway.served import SECRET, Served, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.skipif(bool(chromium.missing()), reason=chromium.missing())

DOCS = text_of("browser.md")


def block(language: str) -> str:
    [code] = re.findall(rf"^```{language}\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)
    return str(code)


SHOWN: dict[str, Any] = {}
exec(block("python"), SHOWN)
ASKED = {"prompt": '地球 и "мир" \\ </script> 😀'}
CALL = {"api_type": "openai", "api_name": "custom", "api_params": {"method": "v1/completions", "_o_args": ASKED}}


class Site:
    """A site with an empty page, whose server signs what `may_call` lets through. ``signed`` are the calls."""

    def __init__(self) -> None:
        self.signed: list[Any] = []
        self.is_broken = False
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, "text/html", b"<!doctype html><title>shop</title><link rel=icon href='data:,'>")

            def do_POST(self) -> None:
                call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if site.is_broken or not SHOWN["may_call"](call, "ann"):
                    return self._answer(403, "text/plain", b"no")
                site.signed.append(call)
                return self._answer(200, "application/json", json.dumps(SHOWN["signed"](call, SECRET)).encode())

            def _answer(self, status: int, content_type: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def opened() -> Iterator[Site]:
    site = Site()
    thread = threading.Thread(target=site.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.server.shutdown()
        thread.join()
        site.server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def shop() -> Iterator[Site]:
    with opened() as site:
        yield site


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, shop: Site) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("obapi"), origins=[shop.origin], cache={"seconds": 0}) as world:
        yield world


@contextmanager
def visited(browser: Browser, site: Site, world: Served) -> Iterator[Page]:
    """A page of the site that has the script; whatever the page throws or logs as an error fails the test."""
    page = browser.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(site.origin)
    page.add_script_tag(url=f"{world.address}/js/obapi.js")
    yield page
    page.close()
    assert faults == []


@pytest.fixture
def page(browser: Browser, shop: Site, world: Served) -> Iterator[Page]:
    shop.signed.clear()
    shop.is_broken = False
    with visited(browser, shop, world) as page:
        yield page


# The function of docs/how-to/browser.md.
SIGNATURE = re.search(r"signature: (\(call\) =>.*?\}\)),\n", DOCS, re.DOTALL)
assert SIGNATURE is not None


def configured(page: Page, world: Served, **more: Any) -> None:
    config = {"api_url": world.address, "api_key": "demo", **more}
    signature = "" if "signature" in more else f"config.signature = {SIGNATURE[1]};" if SIGNATURE else ""
    page.evaluate(f"(config) => {{ {signature} obAPI.config(config); }}", config)


PROMISE = """async (call) => {
  try { return {answer: await obAPI.exec(call)}; }
  catch (error) { return {code: error.code, name: error.name, message: error.message, answer: error.answer}; }
}"""
CALLBACK = "(call) => new Promise((done) => obAPI.exec(call, done))"


def test_a_callback_and_a_promise_get_the_answer(page: Page, world: Served, shop: Site) -> None:
    configured(page, world, jsApiList=["custom"])
    told = page.evaluate(CALLBACK, CALL)
    promised = page.evaluate(PROMISE, CALL)["answer"]
    for answer in (told, promised):
        assert answer["error_code"] == "0000"
        assert answer["response"]["choices"][0]["text"] == f"You said: {ASKED['prompt']}"
    assert [call["params"]["api_name"] for call in shop.signed] == ["custom", "custom"]


def test_no_secret_goes_to_the_page_or_from_it(page: Page, world: Served) -> None:
    sent: list[str] = []
    logged: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data} {request.headers}"))
    page.on("console", lambda message: logged.append(message.text))
    configured(page, world, debug=True)
    assert page.evaluate(CALLBACK, CALL)["error_code"] == "0000"
    assert any("hmac-sha256" in each for each in sent)
    assert not any(SECRET in each for each in sent)
    assert any("openai/custom" in each for each in logged)
    assert not any("hmac" in each or "prompt" in each or "key=" in each for each in logged)
    with pytest.raises(Exception, match="api_secret in a page is everybody's"):
        configured(page, world, api_secret=SECRET)


@pytest.mark.parametrize("lang", list(Lang))
def test_errors_are_readable(page: Page, world: Served, lang: Lang) -> None:
    configured(page, world, api_key="nobody", lang=str(lang))
    got = page.evaluate(PROMISE, CALL)
    row = REGISTRY.get("4004")
    assert (got["code"], got["name"]) == ("4004", "ObApiError")
    assert got["message"].startswith(f"4004 {row.message}")
    assert row.text(lang) in got["message"]
    assert page.evaluate(CALLBACK, CALL)["error_code"] == "4004"


def test_an_upstreams_error_is_a_failure(page: Page, world: Served) -> None:
    params = {"method": "v1/completions", "_o_args": '{"prompt":"地球","model":"fault-404"}'}
    whole = {**params, "key": "demo", "api_name": "custom", "lang": "cn"}
    configured(page, world, **SHOWN["signed"]({"api_type": "openai", "params": whole}, SECRET))
    got = page.evaluate(PROMISE, {**CALL, "api_params": params})
    assert (got["code"], got["answer"]["response"]["error"]["code"]) == ("2000", "model_not_found")


def test_what_the_site_does_not_sign_is_not_called(page: Page, world: Served, shop: Site) -> None:
    configured(page, world)
    before = len(world.records())
    got = page.evaluate(PROMISE, {**CALL, "api_params": {"method": "v1/models"}})
    assert got["code"] == "4001"
    assert "could not be signed: sign in first" in got["message"]
    shop.is_broken = True
    assert page.evaluate(CALLBACK, CALL)["error_code"] == "4001"
    assert len(world.records()) == before


def test_a_signature_in_the_page_is_for_one_call(page: Page, world: Served) -> None:
    params = {"method": "v1/completions", "_o_args": json.dumps(ASKED, ensure_ascii=False)}
    call = {**CALL, "api_params": params}
    whole = {**params, "key": "demo", "api_name": "custom", "lang": "ru"}
    proof = SHOWN["signed"]({"api_type": "openai", "params": whole}, SECRET)
    # Another call than the one that was signed.
    configured(page, world, lang="ru", **proof)
    other = {**call, "api_params": {**params, "_o_args": '{"prompt":"мир"}'}}
    assert page.evaluate(CALLBACK, other)["error_code"] == "4005"
    configured(page, world, lang="ru", **proof)
    assert page.evaluate(CALLBACK, call)["error_code"] == "0000"
    with pytest.raises(Exception, match="was for one call"):
        page.evaluate(CALLBACK, call)
    # Whoever copies it from the page has nothing.
    configured(page, world, lang="ru", **proof)
    assert page.evaluate(CALLBACK, call)["error_code"] == "4005"


def test_a_call_that_is_tried_again_is_made_once(page: Page, world: Served, shop: Site) -> None:
    """The first answer is lost on its way."""
    lost: list[str] = []

    def lose(route: Any) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.request.url)
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route(f"{world.address}/openai/**", lose)
    configured(page, world)
    before = len(world.records())
    assert page.evaluate(CALLBACK, CALL)["error_code"] == "0000"
    assert lost
    assert len(world.records()) == before + 1
    assert len(shop.signed) == 2


def test_a_call_that_was_signed_in_the_page_is_tried_once(page: Page, world: Served) -> None:
    tried: list[str] = []

    def lose(route: Any) -> None:
        tried.append(route.request.url)
        route.abort()

    page.route(f"{world.address}/openai/**", lose)
    configured(page, world, timestamp=1677981804, nonceStr="0123456789abcdef", signature="0" * 64)
    assert page.evaluate(PROMISE, CALL)["code"] == "4001"
    assert len(tried) == 1


def test_a_gateway_that_says_when_is_asked_then(page: Page, world: Served) -> None:
    said = ["1", "11"]  # the second is longer than a page should wait

    def answer(route: Any) -> None:
        body = json.dumps({"response": [], "error": "x", "reason": "y", "error_code": "4008"})
        headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*", "Retry-After": said.pop(0)}
        route.fulfill(status=429, headers=headers, body=body)

    page.route(f"{world.address}/openai/**", answer)
    configured(page, world)
    assert page.evaluate(PROMISE, CALL)["message"] == "4008 x y"
    assert said == []


def test_what_is_no_envelope_is_told(page: Page, world: Served) -> None:
    page.route(
        f"{world.address}/openai/**",
        lambda route: route.fulfill(status=502, headers={"Access-Control-Allow-Origin": "*"}, body="<html>"),
    )
    configured(page, world)
    assert "HTTP 502 from" in page.evaluate(PROMISE, CALL)["message"]


def test_mistakes_are_told(page: Page, world: Served) -> None:
    for config, why in (
        ({"signature": ""}, "config lacks signature"),
        ({"signature": "abc"}, "needs its timestamp and nonceStr"),
        ({"api_url": ""}, "config lacks api_url"),
    ):
        with pytest.raises(Exception, match=why):
            configured(page, world, **config)
    with pytest.raises(Exception, match="config comes before exec"):
        page.evaluate(CALLBACK, CALL)
    configured(page, world, jsApiList=["openai/other"])
    with pytest.raises(Exception, match="custom is not in jsApiList"):
        page.evaluate(CALLBACK, CALL)


def test_a_page_of_another_origin_reads_nothing(browser: Browser, world: Served) -> None:
    with opened() as stranger, visited(browser, stranger, world) as page:
        configured(page, world)
        got = page.evaluate(PROMISE, CALL)
        assert got["code"] == "4001"
        assert stranger.origin in got["message"]
        assert world.address in got["message"]
        # Nor by hand, nor what is no call.
        for path in ("/openai/custom/?key=demo", "/health", "/metrics", "/admin/accounts"):
            with pytest.raises(Exception, match="Failed to fetch"):
                page.evaluate("(url) => fetch(url).then((answer) => answer.text())", world.address + path)


def test_nor_does_a_listed_one_read_what_is_no_call(page: Page, world: Served) -> None:
    for path in ("/health", "/metrics", "/admin/accounts", "/js/obapi.js"):
        with pytest.raises(Exception, match="Failed to fetch"):
            page.evaluate("(url) => fetch(url).then((answer) => answer.text())", world.address + path)


def test_without_the_setting_no_page_reads_an_answer(browser: Browser, tmp_path: Path, shop: Site) -> None:
    with served(tmp_path) as world, visited(browser, shop, world) as page:
        configured(page, world)
        assert page.evaluate(PROMISE, CALL)["code"] == "4001"
        assert world.records() == []  # the browser asks first
