"""The Chromium that this suite looks at pages with: Debian's, which talks to nobody by itself."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["chromium", "missing"]

_ARGUMENTS: Final = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-gpu"]


def missing() -> str:
    """Why there can be no browser here; empty if there can."""
    for package in ("playwright", "axe_playwright_python"):
        if importlib.util.find_spec(package) is None:
            return f"no {package}: pip install 'envelope-engine[test]'"
    return "" if shutil.which("chromium") else "no chromium on this machine: apt-get install chromium"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
