"""Texts of callers and upstreams, made so that every database takes them."""

from __future__ import annotations

__all__ = ["storable"]


def storable(text: str) -> str:
    """*text*, with escapes in place of NUL and of halves of surrogate pairs, which databases refuse."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", r"\x00")
