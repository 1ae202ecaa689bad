"""The site, built as its readers have it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

from tests.adapters.curl import running
from tests.documents import ROOT

__all__ = ["build", "missing", "serve"]


def missing() -> str:
    """Why there can be no site here; empty if there can."""
    tools = ("sphinx", "furo", "myst_parser", "sphinx_click", "sphinx_copybutton")
    is_there = all(find_spec(name) is not None for name in tools)
    return "" if is_there else "the site's tools are not installed (pip install -e '.[docs]')"


def build(folder: Path) -> None:
    """Build it into *folder*; a warning is a failure."""
    words = [sys.executable, "-W", "ignore", "-m", "sphinx", "-q", "-W", "--keep-going", "docs", str(folder)]
    ran = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """No line for each request."""


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The address at which *folder* is served meanwhile."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, running(server) as address:
        yield address
