"""What a browser asks: its address, its headers, and a small form."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from envelope.adapters.asgi_wire import Disconnected
from envelope.calls.negotiation import negotiate_lang
from envelope.registry.languages import Lang

if TYPE_CHECKING:
    from envelope.adapters.asgi_wire import Receive, Scope

__all__ = ["LANG_COOKIE", "Asked", "TooLong", "TooSlow", "read_form"]

LANG_COOKIE: Final = "lang"

_SECONDS: Final = 10.0
_MOST_FIELDS: Final = 50
# What a Host header can be that is shown to people, who copy it into a shell.
_HOST: Final = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


class TooLong(Exception):  # what is refused is no error of ours
    """The body is longer than a page takes."""


class TooSlow(Exception):
    """The body did not come in time."""


@dataclass(frozen=True)
class Asked:
    """One request for a page; the names of headers are in lower case. ``form`` is what was sent in the body, in which
    bytes that are no UTF-8 stand as surrogates."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    scheme: str
    client: str
    form: Mapping[str, str] = field(default_factory=dict, repr=False)  # it may have a secret

    @classmethod
    def of(cls, scope: Scope) -> Asked:
        """What *scope* says, without the body."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}
        client = scope.get("client")
        return cls(
            method=scope["method"],
            path=scope["path"],
            query=_fields(scope["query_string"]),
            headers=headers,
            scheme=scope.get("scheme", "http"),
            client=client[0] if client else "",
        )

    @cached_property
    def cookies(self) -> Mapping[str, str]:
        """The cookies; of several of one name, the first."""
        found: dict[str, str] = {}
        for part in self.headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            found.setdefault(name, value)
        return found

    @cached_property
    def lang(self) -> Lang:
        """The language to answer in: what was chosen just now, else before, else what the browser prefers."""
        for chosen in (self.query.get("lang"), self.cookies.get(LANG_COOKIE)):
            if chosen is not None and chosen in [*Lang]:
                return Lang(chosen)
        return negotiate_lang(self.headers.get("accept-language"), Lang.EN)

    @property
    def chosen(self) -> Lang | None:
        """The language that this request chooses; None if it leaves that as it is."""
        return self.lang if self.query.get("lang") == self.lang else None

    @property
    def origin(self) -> str:
        """The address of this gateway as the caller knows it, to be shown."""
        host = self.headers.get("host", "")
        return f"{self.scheme}://{host if _HOST.fullmatch(host) else 'localhost'}"

    @property
    def is_same_origin(self) -> bool:
        """Whether a form came from a page of this host. A proxy may have taken the TLS off: the scheme says nothing."""
        origin = urlsplit(self.headers.get("origin", ""))
        return bool(origin.netloc) and origin.netloc.lower() == self.headers.get("host", "").lower()

    @property
    def is_https(self) -> bool:
        """Whether the browser speaks TLS, to this process or to a proxy before it."""
        return self.scheme == "https" or self.headers.get("origin", "").startswith("https://")


async def read_form(receive: Receive, most: int) -> dict[str, str]:
    """The fields of a form of at most *most* bytes. `TooLong`, `TooSlow`, or `Disconnected` if nobody waits."""
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            has_more = True
            while has_more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                body += message.get("body", b"")
                if len(body) > most:
                    raise TooLong
                has_more = message.get("more_body", False)
    except TimeoutError:
        raise TooSlow from None
    return _fields(bytes(body))


def _fields(data: bytes) -> dict[str, str]:
    text = data.decode("ascii", "surrogateescape")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found
