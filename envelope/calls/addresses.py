"""Addresses of servers: where calls are sent."""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

__all__ = ["checked_address"]

_ADDRESS = re.compile(r"[!-~]+")


def checked_address(address: Any) -> str:
    """*address* without a slash at its end. `ValueError`, without showing it, if it is none."""
    if type(address) is not str:
        raise TypeError(f"an address is a str, not {type(address).__name__}")
    try:
        parts = urllib.parse.urlsplit(address)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # which holds the address
        is_whole = False
    # A user and password would be shown wherever an address is.
    if not is_whole or parts.username is not None or parts.query or parts.fragment or not _ADDRESS.fullmatch(address):
        raise ValueError(
            "an address is http:// or https://, a host and perhaps a path, in ASCII, without user or query"
        )
    return address.rstrip("/")
