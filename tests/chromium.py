"""The Chromium that this suite looks at pages with: Debian's, which talks to nobody by itself."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["chromium", "missing"]


def missing() -> str:
    """Why there can be no browser here; empty if there can."""
    if importlib.util.find_spec("playwright") is None:
        return "no playwright: pip install playwright"
    return "" if shutil.which("chromium") else "no chromium on this machine: apt-get install chromium"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
        )
        try:
            yield browser
        finally:
            browser.close()
