"""The site itself: built without a warning or a network, its links lead somewhere, and a browser shows it whole."""

from __future__ import annotations

import fcntl
import html
import os
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from tests import chromium
from tests.browser import watched
from tests.site import building
from tests.site.__main__ import PAGES
from tests.site.test_pages import MODULES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(bool(building.missing()), reason=building.missing())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once, whichever of the suite's processes comes first."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "site"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            building.build(folder)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.chromium() as made:
        yield made


def test_the_site_is_whole(site: Path) -> None:
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    assert len(pages) > 90
    anchors = {path: {*re.findall(r'\bid="([^"]+)"', text)} for path, text in pages.items()}
    for path, text in pages.items():
        # Nothing is loaded from elsewhere.
        assert not re.findall(r'<(?:script|img|iframe)[^>]+src="(?:https?:)?//|<link[^>]+href="(?:https?:)?//', text)
        for target in re.findall(r'\b(?:href|src)="([^"]+)"', text):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = unquote(html.unescape(target)).partition("#")
            file = (path.parent / name.partition("?")[0]).resolve() if name else path
            assert file.exists(), (path.relative_to(site), target)
            if anchor and file in anchors:
                assert anchor in anchors[file], (path.relative_to(site), target)
    for module in MODULES:
        for name in import_module(module).__all__:
            places = {f"{module}.{name}", f"envelope.{name}"}
            if type(getattr(import_module(module), name)).__name__ != "module":
                assert any(places & found for found in anchors.values()), places
    assert (site / "searchindex.js").stat().st_size > 100_000


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_whole_and_can_be_read_by_everybody(site: Path, browser: Browser, name: str, scheme: Any) -> None:
    path, options = PAGES[name]
    with building.serve(site) as address, watched(browser, address, **{**options, "color_scheme": scheme}) as seen:
        seen.open(path)
        seen.check(but=["definition-list"])  # Sphinx writes a long signature as a list in a list's term


@pytest.mark.browser
def test_the_search_needs_neither_a_server_nor_a_network(site: Path, browser: Browser) -> None:
    context = browser.new_context(offline=True)
    try:
        page = context.new_page()
        page.goto(f"{(site / 'search.html').as_uri()}?q=wordpress")
        page.wait_for_selector("#search-results li a[href^='how-to/wordpress.html']")
    finally:
        context.close()
