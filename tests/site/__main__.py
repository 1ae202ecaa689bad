"""`python -m tests.site --screenshots FOLDER`: four pages of the site, as they are now."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from tests import chromium
from tests.browser import watched
from tests.site import building

PAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "index": ("/index.html", {}),
    "fastapi": ("/how-to/servers.html", {"color_scheme": "dark"}),
    "gateway-zh": ("/tutorials/first-gateway-zh.html", {"viewport": {"width": 390, "height": 844}}),
    "reference": ("/reference/python/answers.html", {}),
}


def main() -> None:
    """Build the site and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--screenshots", type=Path, required=True, metavar="FOLDER")
    asked = parser.parse_args()
    if reason := building.missing() or chromium.missing():
        parser.error(reason)
    asked.screenshots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        building.build(Path(name))
        with building.serve(Path(name)) as address, chromium.chromium() as browser:
            for page, (path, options) in PAGES.items():
                with watched(browser, address, **options) as seen:
                    seen.open(path).screenshot(path=asked.screenshots / f"{page}.png")
                    assert seen.faults == [], seen.faults


if __name__ == "__main__":
    main()
