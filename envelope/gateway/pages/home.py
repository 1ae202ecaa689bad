"""`/`: what this is, how it is called, and how it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envelope.answers.envelope import Envelope
from envelope.api import encode
from envelope.formats import ResultType
from envelope.gateway.pages.answers import Answer, html
from envelope.gateway.pages.rendering import lang_cookies, render
from envelope.gateway.pages.state import state_of

if TYPE_CHECKING:
    from envelope.adapters.asgi_wire import Receive
    from envelope.gateway.operation.generations import Generation
    from envelope.gateway.pages.asked import Asked
    from envelope.gateway.running import Running

__all__ = ["home"]

_SAMPLE: Final[Envelope[object]] = Envelope.ok(
    {"id": "cmpl-6r1", "choices": [{"text": "你好，Мир!"}]}, request_id="1.6403f86cd67f6", last_id="1593583206"
)


async def home(running: Running, generation: Generation, asked: Asked, _: Receive) -> Answer:
    """The page."""
    # json and jsonu as PHP writes them, whose difference is what a reader should see.
    samples = {
        name: encode(_SAMPLE, name, dialect="php" if name.startswith("json") else "typed") for name in ResultType
    }
    page = render(
        "home.html",
        asked,
        origin=asked.origin,
        api=generation.settings.apis[0] if generation.settings.apis else "custom",
        state=await state_of(running, generation),
        samples=[(name, len(body), body.decode()) for name, body in samples.items()],
        has_console=generation.settings.admin_token is not None,
    )
    return html(page, 200, lang_cookies(asked))
