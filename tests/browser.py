"""What Chromium says of a page."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_SERIOUS: Final = ("serious", "critical")


class Watched:
    """A page, and what must not happen on it: a request to another host, a message of an error."""

    def __init__(self, browser: Browser, address: str, **options: Any) -> None:
        options = {"locale": "en-US", "viewport": {"width": 1280, "height": 900}, **options}
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.address = address
        self.faults: list[str] = []
        self._host = urlsplit(address).netloc
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))

    def _asked(self, url: str) -> None:
        if urlsplit(url).netloc not in (self._host, "") or urlsplit(url).scheme not in ("http", "data", "blob"):
            self.faults.append(f"asked {url}")

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.address}{path}", wait_until="load")
        return self.page

    def check(self, *, but: Sequence[str] = ()) -> None:
        """What must hold of the page as it is now, *but* for some rules of axe."""
        assert self.faults == []
        assert accessibility_faults(self.page, but=but) == []
        wide, seen = self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= seen, f"{self.page.url} is {wide} wide, on a screen of {seen}"


@contextmanager
def watched(browser: Browser, address: str, **options: Any) -> Iterator[Watched]:
    """A new page of a new visitor."""
    made = Watched(browser, address, **options)
    try:
        yield made
    finally:
        made.context.close()


def accessibility_faults(page: Page, *, but: Sequence[str] = ()) -> Sequence[str]:
    """The serious faults that axe finds, *but* for those of some rules."""
    # Given to the page by the debugger: the policy of the pages is for what they load themselves.
    page.evaluate(_axe())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{page.url} {fault['id']}: {node['target']} {node['failureSummary']}"
        for fault in found["violations"]
        if fault["impact"] in _SERIOUS and fault["id"] not in but
        for node in fault["nodes"]
    ]


def _axe() -> str:
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec is not None
    assert spec.origin is not None
    return (Path(spec.origin).parent / "axe.min.js").read_text("utf-8")
