"""WSGI apps called as a server calls them, with the standard library's validator inside and outside."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Any, NamedTuple
from wsgiref.types import WSGIApplication
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes
    pairs: list[tuple[str, str]]


def environ_of(verb: str = "GET", path: str = "/", query: str = "", body: bytes = b"", **more: Any) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": verb,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "wsgi.input": BytesIO(body),
        "wsgi.file_wrapper": FileWrapper,
    }
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    environ.update({name.replace("__", "."): value for name, value in more.items()})
    setup_testing_defaults(environ)
    environ["SERVER_PROTOCOL"] = "HTTP/1.1"
    return environ


def called(app: WSGIApplication, environ: dict[str, Any], *, checked: bool = True) -> Answer:
    """The answer of *app*; whatever is raised, its ``close`` was called."""
    heads: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
        assert exc_info is not None or not heads, "started twice"
        heads.append((status, headers))
        return written.append

    result: Iterable[bytes] = (validator(app) if checked else app)(environ, start)
    try:
        written.extend(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    ((status, pairs),) = heads
    return Answer(int(status[:3]), dict(pairs), b"".join(written), pairs)
