"""Every page: its headers, its languages, and that it asks nobody else."""

from __future__ import annotations

import gzip
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import envelope
from envelope.registry.languages import Lang
from tests.gateway.admin.desk import desk
from tests.gateway.pages.visitor import Operator, get, post, text
from tests.gateway.served import Served, served

PAGES = ("/", "/docs", "/playground", "/console")
OF_THE_CONSOLE = ("/console", "/console/accounts", "/console/account?name=demo", "/console/calls")
_LINKED = re.compile(r"""(?:src|href|action)=["']?([^"'\s>]+)""")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with desk(tmp_path_factory.mktemp("pages"), apis=["custom", "batch"]) as made:
        yield made


def words(lang: str) -> dict[str, Any]:
    return tomllib.loads((files("envelope.gateway.pages") / "texts" / f"{lang}.toml").read_text("utf-8"))


def places(table: Mapping[str, Any], above: str = "") -> dict[str, set[str]]:
    """The path of each text, and what is put into it."""
    found: dict[str, set[str]] = {}
    for name, value in table.items():
        path = f"{above}.{name}"
        found |= places(value, path) if isinstance(value, dict) else {path: set(re.findall(r"\{\w+\}", value))}
    return found


def test_each_language_has_every_text() -> None:
    english = places(words("en"))
    assert len(english) > 100
    assert all(places(words(lang)) == english for lang in Lang)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", Lang)
def test_a_page_is_in_the_language_of_the_browser(world: Served, path: str, lang: Lang) -> None:
    page = text(get(world, path, Accept_Language=f"{lang.tag}, *;q=0.1"))
    assert f'<html lang="{lang.tag}">' in page
    assert words(lang)["nav"]["playground"] in page


def test_a_language_that_is_chosen_is_kept(world: Served) -> None:
    chosen = get(world, "/docs?lang=ru", Accept_Language="en")
    assert '<html lang="ru">' in text(chosen)
    cookie = chosen.headers["set-cookie"].split(";")[0]
    assert '<html lang="ru">' in text(get(world, "/", Accept_Language="en", Cookie=cookie))
    assert '<html lang="en">' in text(get(world, "/?lang=xx", Accept_Language="en"))


def test_a_switch_of_the_language_keeps_the_search(world: Served) -> None:
    page = text(Operator(world).get("/console/calls?code=4002&account=%D0%AF"))
    assert 'href="?code=4002&amp;account=%D0%AF&amp;lang=ru"' in page


@pytest.mark.parametrize(
    "path", [*PAGES, "/nowhere-below/../docs", "/static/none.css", "/openapi.json", "/favicon.ico"]
)
def test_a_page_may_do_no_more_than_it_must(world: Served, path: str) -> None:
    got = get(world, path) if ".." not in path else get(world, "/console/none")
    policy = dict(part.split(" ", 1) for part in got.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert (policy["script-src"], policy["style-src"], policy["connect-src"]) == ("'self'", "'self'", "'self'")
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", [*PAGES, *OF_THE_CONSOLE[1:]])
def test_a_page_has_no_address_of_another_host_and_no_script_in_it(world: Served, path: str) -> None:
    page = text(Operator(world).get(path))
    assert [link for link in _LINKED.findall(page) if not link.startswith(("/", "?", "#"))] == []
    assert re.findall(r"<script(?! src=)|<style|\bstyle=|\bon\w+=|javascript:", page) == []


def test_files_are_kept_for_ever_and_have_a_digest_in_their_names(world: Served) -> None:
    page = text(get(world, "/docs"))
    linked = [link for link in _LINKED.findall(page) if link.startswith("/static/")]
    assert len(linked) == 6
    for link in linked:
        plain, zipped = get(world, link), get(world, link, Accept_Encoding="gzip")
        assert "immutable" in plain.headers["cache-control"]
        if len(plain.body) < 1024:
            assert zipped.body == plain.body
        else:
            assert zipped.headers["content-encoding"] == "gzip"
            assert gzip.decompress(zipped.body) == plain.body
            assert plain.headers["vary"] == "Accept-Encoding"
    assert get(world, linked[0].replace(".css", "0.css")).status == 404
    assert get(world, "/favicon.ico").headers["content-type"] == "image/svg+xml"


def test_what_is_no_page_or_not_with_this_method_is_said_by_a_page(world: Served) -> None:
    for method, path, status in (
        ("GET", "/playground/none", 404),
        ("GET", "/static/", 404),
        ("POST", "/docs", 405),
        ("DELETE", "/console", 405),
        ("GET", "/playground/convert", 405),
    ):
        got = world.send(method, path, headers={"Accept-Language": "ru"})
        assert got.status == status
        assert words("ru")[f"failure_{status}"]["title"] in text(got)
    assert get(world, "/console/none").status == 404
    got = world.send("OPTIONS", "/docs")
    assert (got.status, got.headers["allow"], got.body) == (204, "GET, HEAD, OPTIONS", b"")


@pytest.mark.parametrize("path", [*PAGES, "/openapi.json", "/robots.txt", "/favicon.svg"])
def test_head_has_the_headers_and_no_body(world: Served, path: str) -> None:
    head, whole = world.send("HEAD", path), get(world, path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]


@pytest.mark.parametrize(
    "path", ["/openai/custom/", "/docs/custom/", "/openapi.json/custom/", "/openai", "/docs/x/y/z"]
)
def test_what_has_an_apis_path_is_a_call(world: Served, path: str) -> None:
    got = world.call(path=path)
    assert got.code in (("0000",) if path.endswith("custom/") else ("4010", "4014"))


def test_the_start_page_says_how_to_call_and_how_the_gateway_is(world: Served) -> None:
    page = text(get(world, "/", Host="gateway.example:8443"))
    assert "http://gateway.example:8443</span>/openai/custom/" in page
    assert envelope.__version__ in page
    assert "Ready for calls" in page
    assert world.upstream.address not in page
    assert "http://localhost</span>" in text(get(world, "/", Host="a'$(id)"))


def test_the_start_page_says_that_nothing_answers(tmp_path: Path) -> None:
    with served(tmp_path, upstreams=[{"name": "gone", "address": "http://127.0.0.1:9", "rest": 60}]) as world:
        assert world.call().code == "4001"
        page = text(get(world, "/"))
    assert "Not ready" in page
    assert "0 of 1 awake" in page
    assert "gone" not in page


def test_the_documents_have_every_code_in_three_languages(world: Served) -> None:
    page = text(get(world, "/docs"))
    for row in world.registry:
        assert f'id="code-{row.code}"' in page
        assert all(row.text(lang) in page.replace("&#39;", "'") for lang in Lang)


def test_a_browser_keeps_the_openapi_document(world: Served) -> None:
    got = get(world, "/openapi.json")
    assert json.loads(got.body)["openapi"] == "3.1.0"
    again = get(world, "/openapi.json", If_None_Match=got.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_without_an_admin_token_there_is_no_console(tmp_path: Path) -> None:
    with served(tmp_path) as world:
        assert [get(world, path).status for path in OF_THE_CONSOLE] == [404] * 4
        assert post(world, "/console/login", {"token": ""}).status == 404
        assert "admin_token in gateway.toml" in text(get(world, "/console?lang=en"))
        assert "/console" not in text(get(world, "/"))


def test_robots_stay_out_of_the_console(world: Served) -> None:
    assert b"Disallow: /console" in get(world, "/robots.txt").body
    assert get(world, "/console").headers["x-robots-tag"] == "noindex, nofollow"
