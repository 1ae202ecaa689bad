"""Lists in pages: where an answer says how to ask for the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from envelope.client.answer import Answer

__all__ = ["next_page"]

_TOKEN: Final = "pageToken"


def next_page(answer: Answer[Any], params: Mapping[str, Any], sent: set[str]) -> dict[str, Any] | None:
    """The *params* of the page after *answer*: with the ``pageToken`` of the payload, else of the envelope.

    None if there is no such token, or it was *sent* before, which keeps them all: that would never end.
    """
    sent.add(str(params.get(_TOKEN, "")))
    payload = answer.response if isinstance(answer.response, Mapping) else {}
    token = payload.get(_TOKEN) or answer.extras.get(_TOKEN)
    if type(token) not in (str, int) or not token or str(token) in sent:
        return None
    return {**params, _TOKEN: token}
