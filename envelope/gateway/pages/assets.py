"""The files of the pages: the package's own, and Swagger UI's from `fastapi_offline`.

A file's address has a digest of what is in it, so browsers keep it for ever, and ask anew when it is another.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from envelope.gateway.pages.answers import Answer

__all__ = ["address_of", "asset", "has_swagger"]

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_OWN: Final = ("pages.css", "pages.js", "docs.css", "docs.js", "favicon.svg")
_SWAGGER: Final = ("swagger-ui.css", "swagger-ui-bundle.js")
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_FOR_A_DAY: Final = "public, max-age=86400"


@dataclass(frozen=True, slots=True)
class _Asset:
    address: str
    content_type: str
    body: bytes
    zipped: bytes


def address_of(name: str) -> str:
    """Where the file of that name is."""
    return _by_name()[name].address


def has_swagger() -> bool:
    """Whether Swagger UI is installed."""
    return _SWAGGER[0] in _by_name()


def asset(path: str) -> Answer | None:
    """The file at *path*; None if there is none."""
    found = _by_address().get(path)
    keep = _FOR_EVER
    if path in ("/favicon.svg", "/favicon.ico"):
        found, keep = _by_name()["favicon.svg"], _FOR_A_DAY
    if found is None:
        return None
    return Answer(200, found.body, found.content_type, {"Cache-Control": keep}, zipped=found.zipped)


@cache
def _by_name() -> Mapping[str, _Asset]:
    own = files("envelope.gateway.pages") / "static"
    bodies = {name: (own / name).read_bytes() for name in _OWN}
    try:
        swagger = files("fastapi_offline") / "static"
        bodies |= {name: (swagger / name).read_bytes() for name in _SWAGGER}
    except (ModuleNotFoundError, OSError):  # the page says what is missing
        pass
    return {name: _asset(name, body) for name, body in bodies.items()}


@cache
def _by_address() -> Mapping[str, _Asset]:
    return {each.address: each for each in _by_name().values()}


def _asset(name: str, body: bytes) -> _Asset:
    stem, _, ending = name.rpartition(".")
    digest = hashlib.sha256(body).hexdigest()[:16]
    return _Asset(f"/static/{stem}.{digest}.{ending}", _TYPES[ending], body, gzip.compress(body, 9, mtime=0))
