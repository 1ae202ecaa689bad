"""Texts of callers, operators and upstreams: what every database takes, and what it is asked for."""

from __future__ import annotations

from typing import Final

from envelope.gateway.books.errors import BooksError

__all__ = ["MAX_NAME", "checked_name", "is_storable", "storable"]

MAX_NAME: Final = 255
"""How many characters a name has at most; a longer one may be too long for a database's index."""


def storable(text: str) -> str:
    """*text*, with escapes in place of NUL and of halves of surrogate pairs, which databases refuse."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", r"\x00")


def is_storable(text: str) -> bool:
    """Whether a database takes *text* as it is; nothing has a name that it would not take."""
    return storable(text) == text


def checked_name(name: str, of: str) -> str:
    """*name*, by which something is found again; `BooksError` if no database would take it. *of* says whose it is."""
    if not (0 < len(name) <= MAX_NAME and is_storable(name)):
        raise BooksError(f"{of} is 1 to {MAX_NAME} characters, without NUL, and valid Unicode")
    return name
