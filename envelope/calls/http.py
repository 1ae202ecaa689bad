"""The two ends of HTTP that a call has: `HttpRequest` comes in, `Rendered` goes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["HttpRequest", "Rendered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """What HTTP carries of a call. ``query`` is without its ``?``; headers that are not there are ``""`` or None.

    ``path`` ends ``/<api_type>/<api_name>/``, and goes before parameters of these names; where yours does not, leave
    it out. A body is JSON or a urlencoded form, in UTF-8.
    """

    path: str = ""
    query: str | bytes = field(default="", repr=False)  # it has the key, and may have the secret
    body: bytes = field(default=b"", repr=False)
    content_type: str | None = ""
    accept: str | None = ""
    accept_language: str | None = ""

    @property
    def verb(self) -> str:
        """``POST`` where there is a body, else ``GET``."""
        return "POST" if self.body else "GET"


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer as HTTP has it: the status, the headers by their names, the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
