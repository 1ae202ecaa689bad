"""A page that says why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envelope.gateway.pages.answers import Answer, html
from envelope.gateway.pages.rendering import lang_cookies, render

if TYPE_CHECKING:
    from envelope.gateway.pages.asked import Asked

__all__ = ["failure"]

_WORDS: Final = (403, 404, 405, 408, 413, 503)


def failure(asked: Asked, status: int, why: str = "", **headers: str) -> Answer:
    """The page for a failure of that HTTP *status*, with the words for *why* if that is known."""
    words = f"failure_{why or (status if status in _WORDS else 500)}"
    return html(render("failure.html", asked, words=words, status=status), status, lang_cookies(asked), **headers)
