"""Starting a program, or the one that runs in a browser's page."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.chromium import chromium
from tests.clients.programs import FOLDER, PROGRAMS, Program

__all__ = ["ALL", "asking"]

PAGE: Final = Program(
    name="a browser's page", language="js", source="page.js", needs=["chromium"], packages=["chromium"],
    probe=[sys.executable, "-c", "import playwright"], run=[], reads={"json": "value", "jsonu": "value", "xml": "texts"},
    is_quick=True,
)  # fmt: skip

ALL: Final = (*PROGRAMS, PAGE)


@contextmanager
def asking(program: Program, folder: Path) -> Iterator[Callable[[Sequence[str]], str]]:
    """What runs a program with arguments and returns what it prints, until the block ends."""
    if program is not PAGE:
        yield program.started(folder)
        return
    source = (FOLDER / program.source).read_text(encoding="utf-8")
    with chromium() as browser:
        page = browser.new_page()

        def ask(arguments: Sequence[str]) -> str:
            home = arguments[0].partition("/openai/")[0]
            if not page.url.startswith(home):
                page.goto(f"{home}/health")  # calls from other origins are tests/gateway/browser's
            return str(page.evaluate(source, list(arguments)))

        yield ask
