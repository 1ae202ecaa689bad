"""Each page in a real browser: what it loads and says, who can use it, and what its script does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from envelope import ResultType
from envelope.registry.languages import Lang
from tests.browser import Watched, watched
from tests.chromium import chromium
from tests.gateway.admin.desk import TOKEN, desk
from tests.gateway.pages.history import age_call
from tests.gateway.served import SECRET, Served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

pytestmark = pytest.mark.browser

LOCALES = {Lang.CN: "zh-CN", Lang.EN: "en-US", Lang.RU: "ru-RU"}
OF_ALL = ("/", "/docs", "/playground", "/console", "/static/none")
OF_OPERATORS = ("/console", "/console/accounts", "/console/account?name=demo", "/console/calls")
PHONE = {"width": 360, "height": 740}
SCREEN = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with desk(tmp_path_factory.mktemp("browser"), apis=["custom", "batch"]) as made:
        for back in range(3):
            got = made.call(args={"prompt": "hello" * back, "model": "fault-503" if back == 1 else "gpt"})
            age_call(made, int(got.envelope.last_id), back * 86_400_000_000)
        yield made


def sign_in(seen: Watched) -> Page:
    page = seen.open("/console")
    page.wait_for_function("document.activeElement.name === 'token'")  # a busy browser focuses the field late
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_selector(".tabs")
    return page


@pytest.mark.parametrize(
    ("lang", "scheme", "viewport"),
    [(Lang.CN, "dark", PHONE), (Lang.EN, "light", SCREEN), (Lang.RU, "light", PHONE), (Lang.RU, "dark", SCREEN)],
)
def test_every_page_is_whole_and_can_be_used_by_everybody(
    world: Served, browser: Browser, lang: Lang, scheme: Any, viewport: Any
) -> None:
    with watched(browser, world.address, locale=LOCALES[lang], color_scheme=scheme, viewport=viewport) as seen:
        for path in OF_ALL:
            page = seen.open(path)
            if path == "/docs":
                page.wait_for_selector("#swagger .opblock")
            if path == "/static/none":
                seen.faults.clear()  # that a page is not there is told, too
            assert page.get_attribute("html", "lang") == lang.tag
            seen.check()
        sign_in(seen)
        for path in OF_OPERATORS:
            page = seen.open(path)
            seen.check()
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", dark))) < 300) == (scheme == "dark")


def test_everything_can_be_reached_by_the_keyboard(world: Served, browser: Browser) -> None:
    with watched(browser, world.address) as seen:
        page = seen.open("/playground")
        wanted = page.evaluate(
            "[...document.querySelectorAll('a, button, input:not([type=hidden]), select, textarea, summary')]"
            ".filter((each) => each.checkVisibility()).length"
        )
        reached, outlines = set(), set()
        for _ in range(3 * wanted):
            page.keyboard.press("Tab")
            place, outline = page.evaluate(
                "[[...document.querySelectorAll('*')].indexOf(document.activeElement),"
                " document.activeElement.matches('a, button, input, select, textarea, summary')"
                " ? getComputedStyle(document.activeElement).outlineStyle : 'none']"
            )
            if outline != "none":
                outlines.add(outline)
                reached.add(place)
        # Of several radio buttons, the keyboard reaches the one that is chosen, and the arrows choose.
        assert len(reached) >= wanted - 1
        assert outlines == {"solid"}
        seen.open("/")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def test_a_language_is_switched_and_kept(world: Served, browser: Browser) -> None:
    with watched(browser, world.address) as seen:
        page = seen.open("/docs")
        page.click("text=中文")
        assert page.get_attribute("html", "lang") == "zh-Hans"
        assert seen.open("/").get_attribute("html", "lang") == "zh-Hans"


def test_swagger_ui_shows_the_gateways_own_document(world: Served, browser: Browser) -> None:
    with watched(browser, world.address) as seen:
        page = seen.open("/docs")
        page.wait_for_selector("#swagger .opblock-summary-path")
        assert page.locator("#swagger .opblock").count() == 4
        page.locator("#swagger .opblock-summary-control").first.click()
        page.wait_for_selector("#swagger .parameters")
        seen.check()


def test_the_playground_converts_what_is_typed(world: Served, browser: Browser) -> None:
    with watched(browser, world.address) as seen:
        page = seen.open("/playground")
        page.fill("#text", 'a:1:{s:4:"city";s:12:"Москва";}')
        page.wait_for_selector(".read:has-text('serialize')")
        assert page.locator(".results article").count() == len(ResultType)
        assert page.locator("[data-format=jsonu] pre").first.inner_text() == '{"city":"Москва"}'
        page.locator("[data-format=json] summary").click()
        assert world.address in page.locator("[data-format=json] details pre").first.inner_text()
        seen.check()


def test_the_playground_marks_the_place_and_mends(world: Served, browser: Browser) -> None:
    with watched(browser, world.address) as seen:
        page = seen.open("/playground")
        page.fill("#text", '{"prompt": "hello", "n": 3,}')
        page.wait_for_selector(".fault mark")
        assert page.inner_text(".fault mark") == "}"
        assert "27" in page.inner_text(".facts")
        seen.check()
        page.fill("#text", 'a:1:{s:4:"text";s:9:"Привет";}')
        page.click("button[value=repair]")
        page.wait_for_selector(".results")
        assert "Привет" in page.locator("[data-format=jsonu] pre").first.inner_text()
        page.click("text=base64")
        page.click("button[value=unwrap]")
        page.wait_for_selector(".results")
        assert page.locator("[data-format=json] pre").first.inner_text() == '{"id":42}'
        seen.check()


def test_the_playground_calls_and_tells_nobody_the_secret(world: Served, browser: Browser) -> None:
    with watched(browser, world.address) as seen:
        urls: list[str] = []
        seen.page.on("request", lambda request: urls.append(request.url))
        page = seen.open("/playground")
        page.select_option("[name=result_type]", "serialize")
        page.fill("#call [name=key]", "demo")
        page.fill("#call [name=secret]", SECRET)
        page.fill("#args", '{"prompt": "地球"}')
        page.click("#call button")
        page.wait_for_selector("#call-result .results")
        assert "You said: 地球" in page.locator("#call-result [data-format=jsonu] pre").first.inner_text()
        assert "HTTP 200" in page.inner_text("#call-result .read >> nth=0")
        assert not [url for url in urls if SECRET in url or "demo" in url]
        seen.check()


def test_without_a_script_the_playground_works_too(world: Served, browser: Browser) -> None:
    with watched(browser, world.address, java_script_enabled=False) as seen:
        page = seen.open("/playground")
        page.fill("#text", "[1, 2]")
        page.click("#value button[type=submit]")
        assert page.locator("[data-format=serialize] pre").first.inner_text() == "a:2:{i:0;i:1;i:1;i:2;}"
        page.fill("#text", 'a:1:{s:4:"text";s:9:"Привет";}')
        page.click("#value button[type=submit]")
        page.click("button[value=repair]")
        assert page.locator(".results article").count() == len(ResultType)
        assert seen.faults == []


def test_an_operator_makes_an_account_pays_in_and_finds_a_call(world: Served, browser: Browser) -> None:
    with watched(browser, world.address) as seen:
        page = sign_in(seen)
        assert page.locator("svg .bar").count() >= 3
        page.click("text=Accounts")
        page.fill("[name=name]", "Ольга <b>")
        page.keyboard.press("Enter")
        secret = page.locator(".secret code").nth(1).inner_text()
        key = page.locator(".secret code").nth(0).inner_text()
        seen.check()
        page.fill("[name=amount]", "25")
        page.keyboard.press("Enter")
        page.wait_for_selector(".flash.good")
        assert page.inner_text(".figures dd >> nth=0") == "25"
        page.select_option("[name=api]", "custom")
        page.click("form[action$=grant] button")
        page.wait_for_selector(".flash.good")
        assert secret not in page.content()
        world.hang_up()  # what was kept open may have been closed meanwhile
        assert world.call(key=key, secret=secret).code == "0000"
        page.click("text=Calls of this account")
        assert page.locator("tbody tr").count() == 1
        asked: list[str] = []

        def accept(dialog: Dialog) -> None:
            asked.append(dialog.message)
            dialog.accept()

        page.once("dialog", accept)
        page.click("button:has-text('Refund')")
        page.wait_for_selector(".flash.good")
        assert len(asked) == 1
        page.click("text=Overview")
        page.click("text=Check the books")
        page.wait_for_selector("text=The books are right")
        seen.check()
        page.click("text=Sign out")
        page.wait_for_selector("#token")
        assert seen.open("/console/calls").locator("#token").count() == 1
