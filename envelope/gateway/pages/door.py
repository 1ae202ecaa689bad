"""`answer_page`: one request for a page, from what ASGI says of it to what is sent; the rest is imported then."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any

from envelope.adapters.asgi_wire import Disconnected

if TYPE_CHECKING:
    from envelope.adapters.asgi_wire import Receive, Scope, Send
    from envelope.gateway.running import Running

__all__ = ["answer_page"]


async def answer_page(running: Running, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request for a page; whatever goes wrong, with a page."""
    site = await asyncio.to_thread(_site)  # imports it the first time, which takes long
    asked = site.Asked.of(scope)
    generation = running.current
    with generation:
        try:
            answer = await site.answer(running, generation, asked, receive)
        except Disconnected:
            return
        except asyncio.CancelledError:
            if not running.is_draining:
                raise
            answer = site.failure(asked, 503)
        except Exception as error:
            generation.log.fault(error)
            answer = site.failure(asked, 500)
        await site.send_answer(send, asked, answer)


@cache
def _site() -> Any:
    from envelope.adapters.extras import extra

    with extra("gateway"):
        from envelope.gateway.pages import site
    return site
