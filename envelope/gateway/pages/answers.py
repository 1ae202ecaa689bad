"""What a page is answered with: its bytes, and headers that let it do no more than it must."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from envelope.gateway.compression import LEVEL, takes_gzip

if TYPE_CHECKING:
    from envelope.adapters.asgi_wire import Send
    from envelope.gateway.pages.asked import Asked

__all__ = ["HTML", "Answer", "html", "send_answer", "to"]

HTML: Final = "text/html; charset=utf-8"

# Scripts and styles are files of ours: a text that got into a page as a script would not be run.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # With "no-referrer", browsers would not say where a form comes from.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_WORTH_IT: Final = 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; ``cookies`` are whole values of ``Set-Cookie``, ``zipped`` is the body in gzip if that is known."""

    status: int
    body: bytes
    content_type: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    zipped: bytes | None = None


def html(text: str, status: int = 200, cookies: tuple[str, ...] = (), **headers: str) -> Answer:
    """A page, which nobody keeps."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(
        status, text.encode("utf-8", "replace"), headers={"Cache-Control": "no-store", **named}, cookies=cookies
    )


def to(path: str, *cookies: str) -> Answer:
    """Go on at *path*, by a GET."""
    return Answer(303, b"", headers={"Location": path, "Cache-Control": "no-store"}, cookies=cookies)


async def send_answer(send: Send, asked: Asked, answer: Answer) -> None:
    """Send it; without its body if only the headers were asked for."""
    body, told = answer.body, {"Content-Type": answer.content_type, **_ALWAYS, **answer.headers}
    if len(body) >= _WORTH_IT:
        told["Vary"] = ", ".join(filter(None, (told.get("Vary"), "Accept-Encoding")))
        if takes_gzip(asked.headers.get("accept-encoding", "")):
            body = gzip.compress(body, LEVEL, mtime=0) if answer.zipped is None else answer.zipped
            told["Content-Encoding"] = "gzip"
    told["Content-Length"] = str(len(body))
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in told.items()]
    pairs += [(b"set-cookie", cookie.encode("latin-1")) for cookie in answer.cookies]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if asked.method == "HEAD" else body})
