"""The pages' routes: which page is at which path, with which methods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from envelope.gateway.pages.answers import Answer, send_answer
from envelope.gateway.pages.asked import Asked, TooLong, TooSlow
from envelope.gateway.pages.assets import asset
from envelope.gateway.pages.console.routes import CONSOLE, answer_console
from envelope.gateway.pages.docs import docs, openapi
from envelope.gateway.pages.failures import failure
from envelope.gateway.pages.home import home
from envelope.gateway.pages.playground import convert, playground

if TYPE_CHECKING:
    from envelope.adapters.asgi_wire import Receive
    from envelope.gateway.operation.generations import Generation
    from envelope.gateway.running import Running

__all__ = ["Asked", "answer", "failure", "send_answer"]

Page = Callable[["Running", "Generation", Asked, "Receive"], Awaitable[Answer]]

_LOOK: Final = ("GET", "HEAD")
_BOTH: Final = ("GET", "HEAD", "POST")
_ROBOTS: Final = Answer(200, b"User-agent: *\nDisallow: /console\n", "text/plain; charset=utf-8")


async def _robots(*_: object) -> Answer:
    return _ROBOTS


_PAGES: Final[dict[str, tuple[Page, tuple[str, ...]]]] = {
    "/": (home, _LOOK),
    "/docs": (docs, _LOOK),
    "/openapi.json": (openapi, _LOOK),
    "/playground": (playground, _BOTH),
    "/playground/convert": (convert, ("POST",)),
    "/robots.txt": (_robots, _LOOK),
}


async def answer(running: Running, generation: Generation, asked: Asked, receive: Receive) -> Answer:
    """The page that is asked for, or one that says why there is none."""
    path = asked.path.rstrip("/") or "/"
    if path == CONSOLE or path.startswith(f"{CONSOLE}/"):
        page: Page = answer_console
        methods: tuple[str, ...] = _BOTH
    elif (file := asset(asked.path)) is not None:
        return file if asked.method in _LOOK else _refused(asked, _LOOK)
    elif path in _PAGES:
        page, methods = _PAGES[path]
    else:
        return failure(asked, 404)
    if asked.method not in methods:
        return _refused(asked, methods)
    try:
        return await page(running, generation, asked, receive)
    except TooLong:
        return failure(asked, 413)
    except TooSlow:
        return failure(asked, 408)


def _refused(asked: Asked, methods: tuple[str, ...]) -> Answer:
    allow = ", ".join((*methods, "OPTIONS"))
    if asked.method == "OPTIONS":
        return Answer(204, b"", headers={"Allow": allow})
    return failure(asked, 405, Allow=allow)
