"""curl against a server on loopback."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from envelope import Envelope
from envelope.calls.engine import Engine

requires_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

CARRIERS: Final = {
    "GET": ["--get", "--data-urlencode", "q=连衣裙"],
    "POST JSON": ["--json", '{"q":"连衣裙"}'],
    "POST form": ["--data-urlencode", "q=连衣裙"],
    "POST multipart": ["--form", "q=连衣裙", "--form", "image=@{file};type=image/png"],
    "POST gzip": ["--data-binary", "@{packed}", "--header", "Content-Encoding: gzip"],
    "POST chunked": ["--json", '{"q":"连衣裙"}', "--header", "Transfer-Encoding: chunked"],
}
"""The arguments of curl for a call with ``q=连衣裙``."""


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None: ...


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address of *app*, served by the standard library's server while this lasts."""
    with make_server("127.0.0.1", 0, app, handler_class=_Silent) as server, running(server) as address:
        yield address


@contextmanager
def running(server: Any) -> Iterator[str]:
    """The address of a server of the standard library's kind, which runs while this lasts."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def curl(address: str, *arguments: str, engine: Engine) -> tuple[int, Envelope[Any]]:
    """The HTTP status and the envelope of one call by curl."""
    command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "30"]
    ran = subprocess.run(
        [*command, "--write-out", "\n%{http_code} %{content_type}", *arguments, address],
        capture_output=True,
        check=True,
    )
    body, _, last = ran.stdout.rpartition(b"\n")
    status, _, content_type = last.decode().partition(" ")
    return int(status), engine.parse(body, content_type)


def carried(carrier: str, folder: Path) -> list[str]:
    """The arguments of curl for this carrier; files are made in *folder*."""
    (folder / "a.png").write_bytes(b"\x89PNG")
    (folder / "q.gz").write_bytes(gzip.compress("q=连衣裙".encode()))
    return [
        argument.replace("{file}", str(folder / "a.png")).replace("{packed}", str(folder / "q.gz"))
        for argument in CARRIERS[carrier]
    ]
