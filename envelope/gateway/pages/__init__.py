"""Pages that people look at: what this is, its documents, a playground, and an operator's console.

All of it is in the package: nothing is asked of any other host. A page's path has one segment, but for those below
`RESERVED`: an API's path has two, and belongs to calls.
"""

from typing import Final

__all__ = ["RESERVED", "is_page"]

RESERVED: Final = ("console", "playground", "static")
"""First segments that no API's type can be: what is below them is a page's."""

_ALONE: Final = frozenset(
    (
        "/",
        "/docs",
        "/docs/",
        "/openapi.json",
        "/favicon.ico",
        "/favicon.svg",
        "/robots.txt",
        *(f"/{name}" for name in RESERVED),
    )
)
_BELOW: Final = tuple(f"/{name}/" for name in RESERVED)


def is_page(path: str) -> bool:
    """Whether there is a page at that path, or would be, rather than a call."""
    return path in _ALONE or path.startswith(_BELOW)
