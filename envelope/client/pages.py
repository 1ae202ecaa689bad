"""Lists in pages: where an answer says how to ask for the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from envelope.client.answer import Answer

__all__ = ["next_page"]

_TOKEN: Final = "pageToken"


def next_page(answer: Answer[Any], params: Mapping[str, Any]) -> dict[str, Any] | None:
    """The *params* of the next page: with the ``pageToken`` of the payload, else of the envelope.

    None if there is no such token, or it is the one that was just sent: that would never end.
    """
    payload = answer.response if isinstance(answer.response, Mapping) else {}
    token = payload.get(_TOKEN) or answer.extras.get(_TOKEN)
    if type(token) not in (str, int) or not token or str(token) == str(params.get(_TOKEN, "")):
        return None
    return {**params, _TOKEN: token}
