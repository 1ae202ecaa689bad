"""A server's own failures as envelopes: what they say, and which headers stay.

It is the same for WSGI and ASGI, and reads and sends nothing: a 404 of a router, a crash's page, a body that is too
long become what `envelope.calls.Engine` answers, in the caller's format and language.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from envelope.adapters.multipart import TooLarge
from envelope.api import decode
from envelope.calls.engine import Asker, Engine
from envelope.calls.http import HttpRequest, Rendered
from envelope.calls.media import format_of_content_type
from envelope.calls.statuses import code_of_status
from envelope.errors import EnvelopeError, RequestError
from envelope.registry.languages import Lang

__all__ = [
    "MAX_FAILURE_BYTES",
    "Headers",
    "asker_of",
    "fail",
    "is_envelope",
    "options_headers",
    "recover",
    "refuse",
    "written_headers",
]

Headers = list[tuple[str, str]]
"""Headers as they are sent: a name may be there twice."""

MAX_FAILURE_BYTES: Final = 1024 * 1024
"""How much of a failure's body is read to see whether it is an envelope; a longer one is none."""

# What describes the body that is replaced, and how it was sent. Cache-Control and Expires are not among these: they say
# who may keep an answer to this call, and for how long. Without a no-store, caches would keep a 404 or 405.
_OF_THE_BODY: Final = frozenset(
    (
        "accept-ranges",
        "connection",
        "content-digest",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-md5",
        "content-range",
        "content-type",
        "digest",
        "etag",
        "last-modified",
        "repr-digest",
        "trailer",
        "transfer-encoding",
    )
)
_TAGS: Final = frozenset(lang.tag for lang in Lang)


def asker_of(engine: Engine, http: HttpRequest) -> Asker:
    """Who is told about a failure: the caller in *http*, or the error if that format or language does not exist."""
    try:
        return engine.caller(http)
    except RequestError as error:
        return error


def fail(engine: Engine, asker: Asker, status: int, *, reason: str = "") -> Rendered:
    """The envelope for a failure of which the HTTP *status* is known, and perhaps a *reason* in somebody's words."""
    return engine.fail(asker, code_of_status(status), reason=reason, status=status)


def refuse(engine: Engine, asker: Asker, error: RequestError) -> Rendered:
    """The envelope for a call that cannot be read, with 413 for a body that is too long."""
    rendered = engine.refuse(error, asker)
    return replace(rendered, status=413) if isinstance(error, TooLarge) and engine.statuses == "registry" else rendered


def recover(engine: Engine, asker: Asker, error: Exception) -> Rendered:
    """The envelope for whatever was raised: that of `refuse` for a `RequestError`, else as in `Engine.recover`."""
    return refuse(engine, asker, error) if isinstance(error, RequestError) else engine.recover(asker, error)


def is_envelope(engine: Engine, headers: Iterable[tuple[str, str]], body: bytes, *, is_head: bool = False) -> bool:
    """Whether a failure with these *headers* and this *body* is an envelope already, and says that it is a failure.

    The answer to a HEAD has no body to look at, nor has one that is compressed, so its headers decide.
    """
    named = {name.lower(): value for name, value in headers}
    try:
        format = format_of_content_type(named.get("content-type", ""))
        if (is_head and not body) or "content-encoding" in named:
            varies = {part.strip().lower() for part in named.get("vary", "").split(",")}
            return named.get("content-language") in _TAGS and varies >= {"accept", "accept-language"}
        answer = decode(
            body,
            format,
            payload=engine.payload,
            dialect=engine.dialects.get(format, "typed"),
            strict=True,
            limits=engine.limits,
        )
    except EnvelopeError:
        return False
    return not engine.messages.registry.get(answer.error_code).is_success


def written_headers(rendered: Rendered, given: Iterable[tuple[str, str]] = ()) -> Headers:
    """The headers of *rendered*, with those of *given* that do not describe the body that it replaces.

    ``Allow``, ``Retry-After``, ``WWW-Authenticate``, cookies and CORS stay; the parts of ``Vary`` are joined.
    """
    kept: Headers = []
    varies = [rendered.headers["Vary"]]
    for name, value in given:
        if name.lower() == "vary":
            varies.append(value)
        elif name.lower() not in _OF_THE_BODY:
            kept.append((name, value))
    parts = {part.strip().lower(): part.strip() for vary in varies for part in vary.split(",")}
    own = {**rendered.headers, "Vary": ", ".join(part for part in parts.values() if part)}
    return [*kept, *own.items(), ("Content-Length", str(len(rendered.body)))]


def options_headers(given: Iterable[tuple[str, str]]) -> Headers:
    """The headers of a 204 that answers OPTIONS where an app says 405 with these: what it allows, and OPTIONS."""
    kept = [(name, value) for name, value in given if name.lower() not in _OF_THE_BODY]
    allowed = [verb.strip() for name, value in kept if name.lower() == "allow" for verb in value.split(",")]
    verbs = dict.fromkeys([*filter(None, allowed), "OPTIONS"])
    return [*((name, value) for name, value in kept if name.lower() != "allow"), ("Allow", ", ".join(verbs))]
