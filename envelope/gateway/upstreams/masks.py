"""Keys and addresses of upstreams are taken out of whatever is passed on."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Iterable, Iterator
from typing import Any, Final

from envelope.gateway.upstreams.settings import UpstreamSettings

__all__ = ["MASK", "Masks"]

MASK: Final = "***"


_SECRET: Final = 8  # a shorter key (none, EMPTY) is no secret, and may be a word of any answer


class Masks:
    """What must not be passed on of some upstreams: their keys of at least 8 characters, addresses, hosts."""

    def __init__(self, upstreams: Iterable[UpstreamSettings]) -> None:
        keys: set[str] = set()
        places: set[str] = set()
        for upstream in upstreams:
            if upstream.key is not None and len(upstream.key.get_secret_value()) >= _SECRET:
                keys.add(upstream.key.get_secret_value())
            places.update(_places(upstream.address))
        # The longest first, as one may be the beginning of another.
        words = [re.escape(key) for key in _longest_first(keys)]
        words += [rf"(?i:(?<![\w.-]){re.escape(place)}(?![\w-]))" for place in _longest_first(places)]
        self._pattern = re.compile("|".join(words))
        self._keys = [key.encode() for key in keys]

    def text(self, text: str) -> str:
        """*text* without keys and addresses."""
        return self._pattern.sub(MASK, text)

    def value(self, value: Any) -> Any:
        """The same of all texts and names in *value*, which JSON made."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(name): self.value(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.value(member) for member in value]
        return value

    def has_key(self, body: bytes) -> bool:
        """Whether a key is in *body*: faster than to look at all texts in it."""
        return any(key in body for key in self._keys)


def _places(address: str) -> Iterator[str]:
    """The names under which an upstream may speak of itself; a host of one label is a word that may mean anything."""
    yield address
    parts = urllib.parse.urlsplit(address)
    host = parts.netloc
    yield f"{parts.scheme}://{host}"
    if ":" in host or "." in host:
        yield host
    if parts.hostname and ("." in parts.hostname or ":" in parts.hostname):
        yield parts.hostname


def _longest_first(texts: Iterable[str]) -> list[str]:
    return sorted(texts, key=lambda text: (-len(text), text))
