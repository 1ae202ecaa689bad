"""`python -m tests.gateway.pages --screenshots docs/pictures`: the playground and the console, as they are now."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.browser import watched
from tests.chromium import chromium, missing
from tests.gateway.admin.desk import TOKEN, desk
from tests.gateway.pages.history import make_history

PAGES = ("/", "/docs", "/playground", "/console", "/console/accounts", "/console/account?name=alice", "/console/calls")


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--screenshots", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--all", action="store_true", help="every page, light, dark and on a phone")
    asked = parser.parse_args()
    if reason := missing():
        parser.error(reason)
    asked.screenshots.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        desk(Path(folder), apis=["custom", "batch"]) as world,
        chromium() as browser,
    ):
        for name in ("alice", "Северный ветер"):
            world.account(name)
        make_history(world)

        def take(paths: dict[str, str], *, full: bool, **options: object) -> None:
            with watched(browser, world.address, **options) as seen:
                page = seen.open("/console")
                page.fill("#token", TOKEN)
                page.press("#token", "Enter")
                page.wait_for_url("**/console")
                for name, path in paths.items():
                    seen.open(path)
                    page.screenshot(path=asked.screenshots / f"{name}.png", full_page=full)
                assert seen.faults == [], seen.faults

        screen = {"width": 1240, "height": 800}
        take({"playground": "/playground"}, full=False, viewport={**screen, "height": 1230})
        take({"console": "/console"}, full=False, viewport=screen)
        if asked.all:
            named = {path.strip("/").split("?")[0].replace("/", "-") or "home": path for path in PAGES}
            for scheme in ("light", "dark"):
                paths = {f"all-{scheme}-{name}": path for name, path in named.items()}
                take(paths, full=True, viewport=screen, color_scheme=scheme)
            paths = {f"all-phone-{name}": path for name, path in named.items()}
            take(paths, full=True, viewport={"width": 360, "height": 740}, locale="ru-RU")
            take({"all-cn-home": "/", "all-cn-playground": "/playground"}, full=True, locale="zh-CN", viewport=screen)


if __name__ == "__main__":
    main()
