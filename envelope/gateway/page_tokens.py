"""Page tokens: where a list goes on, signed, so that no caller can ask an upstream for any other place.

An upstream's list says ``has_more`` and the id of its last row, after which the next page begins. The caller gets that
as ``pageToken``, and sends it back with the same call.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection
from contextlib import suppress
from typing import Any, Final

from envelope.errors import RequestError
from envelope.registry.codes import WRONG_PAGE_TOKEN

__all__ = ["PAGE_TOKEN", "PURPOSE", "PageTokens"]

PAGE_TOKEN: Final = "pageToken"
"""The name of the parameter, and of the field that answers have."""

PURPOSE: Final = "page tokens"
"""What keys of page tokens are derived for."""

_DIGEST: Final = 16
_MOST: Final = 512


class PageTokens:
    """Makes and reads page tokens; only those of one of the *keys*, the same account and method are read.

    The keys are those of `Vault.derive_all` for `PURPOSE`. A token is made with the one of the account's secret: every
    process can open that, and so read the token, while the vault's keys are being changed.
    """

    def __init__(self, keys: Collection[bytes]) -> None:
        self._keys = keys

    def after(self, token: Any, account: int, method: str) -> str:
        """The id after which the page begins; `RequestError` (4015) if *token* is not one of ours for this call."""
        if isinstance(token, str) and len(token) <= _MOST and token.isascii():
            with suppress(ValueError):  # not base64
                raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
                digest, last = raw[:_DIGEST], raw[_DIGEST:]
                for key in self._keys:
                    if hmac.compare_digest(digest, _digest(key, last, account, method)):
                        return last.decode()
        raise RequestError("not a page token of this list", code=WRONG_PAGE_TOKEN, path=f"$.{PAGE_TOKEN}")

    def next(self, response: Any, account: int, method: str, key: bytes) -> str | None:
        """The token of the page after *response*, made with *key*; None if that is not a list, or the last page."""
        if not isinstance(response, dict) or response.get("has_more") is not True:
            return None
        last = response.get("last_id")
        rows = response.get("data")
        if not isinstance(last, str) and isinstance(rows, list) and rows and isinstance(rows[-1], dict):
            last = rows[-1].get("id")
        raw = last.encode() if isinstance(last, str) else b""
        if not 0 < len(raw) <= _MOST // 2:  # a longer one would make a token that is not read
            return None
        return base64.urlsafe_b64encode(_digest(key, raw, account, method) + raw).decode().rstrip("=")


def _digest(key: bytes, last: bytes, account: int, method: str) -> bytes:
    return hmac.digest(key, f"{account}\n{method}\n".encode() + last, hashlib.sha256)[:_DIGEST]
