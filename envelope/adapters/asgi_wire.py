"""What ASGI's messages say of a call and of its answer, read and written: for all that speak ASGI here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from envelope.adapters.bodies import BodyReader
from envelope.adapters.http_failures import Headers, written_headers
from envelope.adapters.multipart import Form
from envelope.calls.http import HttpRequest, Rendered
from envelope.limits import Limits

__all__ = [
    "ASGIApp",
    "CallHeaders",
    "Disconnected",
    "Message",
    "Receive",
    "Scope",
    "Send",
    "call_headers",
    "http_request",
    "read_form",
    "send_options",
    "send_rendered",
    "texts",
    "with_form",
]

Scope = MutableMapping[str, Any]
"""ASGI's scope of a call."""
Message = MutableMapping[str, Any]
"""A message of ASGI's, either way."""
Receive = Callable[[], Awaitable[Message]]
"""Returns the next message of the server's."""
Send = Callable[[Message], Awaitable[None]]
"""Sends a message to the server."""
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
"""Any application: frameworks have types of their own for what ASGI says."""

CallHeaders = dict[bytes, str]
"""A call's headers by name, in lower case, of those that are read."""

_Pairs = Iterable[tuple[bytes, bytes]]

# What is read of a call's headers.
_READ: Final = frozenset(
    b"accept accept-language content-encoding content-length content-type expect transfer-encoding".split()
)


def call_headers(scope: Scope) -> CallHeaders:
    """The headers that are read, by name; of several of one name, all, as HTTP joins them."""
    headers: CallHeaders = {}
    for name, value in scope["headers"]:  # the names are in lower case
        if name in _READ:
            text = value.decode("latin-1")
            headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def http_request(scope: Scope, headers: CallHeaders) -> HttpRequest[bytes]:
    """The call, without its body."""
    return HttpRequest(
        path=(scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0].decode("latin-1"),
        query=scope["query_string"],
        content_type=headers.get(b"content-type", ""),
        accept=headers.get(b"accept", ""),
        accept_language=headers.get(b"accept-language", ""),
    )


class Disconnected(Exception):
    """The caller has hung up: nobody waits for an answer."""


async def read_form(headers: CallHeaders, receive: Receive, *, limits: Limits, max_files_bytes: int) -> Form:
    """Read the whole body; whoever answers the call closes its files. `Disconnected`, or `RequestError` if it is
    too long, damaged, or not a form that it says it is."""
    reader = BodyReader(
        content_type=headers.get(b"content-type", ""),
        content_encoding=headers.get(b"content-encoding", ""),
        content_length=headers.get(b"content-length", ""),
        limits=limits,
        max_files_bytes=max_files_bytes,
    )
    try:
        has_more = True
        while has_more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            reader.feed(message.get("body", b""))
            has_more = message.get("more_body", False)
        return reader.finish()
    finally:
        reader.close()


def with_form(http: HttpRequest[bytes], form: Form) -> HttpRequest[bytes]:
    """The call with its body."""
    return replace(http, body=form.body, content_type=form.content_type, files=form.files)


async def send_rendered(send: Send, scope: Scope, rendered: Rendered, given: Headers | None = None) -> None:
    """Send an answer; *given* are the headers of the one that it replaces."""
    if given:
        headers = _as_bytes(written_headers(rendered, given))
    else:
        headers = [*_own_headers(tuple(rendered.headers.items())), (b"content-length", b"%d" % len(rendered.body))]
    await send({"type": "http.response.start", "status": rendered.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else rendered.body})


@lru_cache(64)  # an engine has one for each format and language
def _own_headers(headers: tuple[tuple[str, str], ...]) -> list[tuple[bytes, bytes]]:
    return _as_bytes(headers)


async def send_options(send: Send, headers: Headers) -> None:
    """Answer OPTIONS."""
    await send({"type": "http.response.start", "status": 204, "headers": _as_bytes(headers)})
    await send({"type": "http.response.body", "body": b""})


def texts(start: Message) -> Headers:
    """The headers of an answer that *start* begins."""
    pairs: _Pairs = start.get("headers", ())
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]


def _as_bytes(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
