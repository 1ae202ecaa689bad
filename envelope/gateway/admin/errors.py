"""What the admin API answers with if it will not do something: one form, and nothing that was sent but names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from envelope.errors import EnvelopeError
from envelope.gateway.books.errors import BooksError
from envelope.gateway.stores.errors import Conflict, StoreError
from envelope.path import format_path

if TYPE_CHECKING:
    from envelope.adapters.asgi_wire import Send

__all__ = ["KINDS", "Refusal", "fault", "refusal_of", "refusal_of_fields", "send_refusal"]

KINDS: Final = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    500: "fault",
    503: "unavailable",
}
"""The kind of an error, by its HTTP status."""

_LATER: Final = {"Retry-After": "5"}


class Refusal(Exception):  # what is refused is no error of ours
    """Why something is not done, in words for whoever asked.

    *path* is that of a field: ``$.amount`` in the body, ``?limit`` in the query, ``{name}`` in the URL; None if it is
    none of them.
    """

    def __init__(
        self, status: int, message: str, path: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.path = path
        self.headers = headers

    @property
    def body(self) -> bytes:
        """The answer."""
        told = {"kind": KINDS[self.status], "message": self.message, "path": self.path}
        return json.dumps({"error": told}).encode()


def refusal_of(error: EnvelopeError) -> Refusal:
    """The refusal for what the books or their store said."""
    if isinstance(error, BooksError | Conflict):
        return Refusal(409, error.reason)
    if isinstance(error, StoreError):
        return Refusal(503, error.reason, headers=_LATER)
    return fault()


def fault() -> Refusal:
    """The refusal for a fault of our own, of which the log tells more."""
    return Refusal(500, "the gateway failed: its log says where")


def refusal_of_fields(errors: Sequence[Mapping[str, Any]]) -> Refusal:
    """The refusal for the first of pydantic's *errors*; its text has no value."""
    where, *names = errors[0]["loc"]
    path = format_path(names) if where == "body" else ("?{}" if where == "query" else "{{{}}}").format(*names)
    return Refusal(422, errors[0]["msg"].removeprefix("Value error, "), path)


async def send_refusal(send: Send, refusal: Refusal) -> None:
    """Answer with it."""
    headers = {"Content-Type": "application/json", "Content-Length": str(len(refusal.body)), **(refusal.headers or {})}
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status, "headers": pairs})
    await send({"type": "http.response.body", "body": refusal.body})
