"""`/docs` and `/openapi.json`: what can be called, and what each code means."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import orjson

from envelope.gateway.pages.answers import Answer, html
from envelope.gateway.pages.assets import has_swagger
from envelope.gateway.pages.openapi import gateway_document
from envelope.gateway.pages.rendering import lang_cookies, render
from envelope.registry.languages import Lang

if TYPE_CHECKING:
    from envelope.adapters.asgi_wire import Receive
    from envelope.gateway.operation.generations import Generation
    from envelope.gateway.pages.asked import Asked
    from envelope.gateway.running import Running

__all__ = ["docs", "openapi"]


async def docs(_: Running, generation: Generation, asked: Asked, __: Receive) -> Answer:
    """The page, with Swagger UI if that is installed."""
    page = render(
        "docs.html",
        asked,
        has_swagger=has_swagger(),
        codes=generation.gateway.admin.desk.registry,
        columns=sorted(Lang, key=lambda each: each is not asked.lang),
        has_console=generation.settings.admin_token is not None,
    )
    return html(page, 200, lang_cookies(asked))


async def openapi(_: Running, generation: Generation, asked: Asked, __: Receive) -> Answer:
    """The document, which browsers keep as long as it stays the same."""
    settings = generation.settings
    document = gateway_document(
        settings.apis, generation.gateway.admin.desk.registry, settings.statuses, settings.script_statuses
    )
    body = orjson.dumps(document)
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    is_known = asked.headers.get("if-none-match") == tag
    return Answer(304, b"", "application/json", headers) if is_known else Answer(200, body, "application/json", headers)
