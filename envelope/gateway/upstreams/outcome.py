"""`Outcome`: what came of a call to the upstreams, and of each attempt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from envelope.gateway.upstreams.usage import Usage

__all__ = ["Attempted", "Outcome", "What"]

What = Literal[
    "answer", "nothing", "error", "unreachable", "network", "silent", "time", "status", "redirect", "limit", "type",
    "body", "left",
]  # fmt: skip
"""What came of an attempt.

``answer``, and ``nothing``: an empty one. ``error``: an error in the upstream's words. ``unreachable``: no connection.
``network``: it broke, or was no HTTP. ``silent``: no first byte in time. ``time``: no whole answer in time. ``status``:
an HTTP status that is the upstream's fault, or about the operator's account there. ``redirect``. ``limit``: a longer
answer than is read. ``type``: a content type that no answer has. ``body``: not what its content type says. ``left``: a
stream whose caller did not hear it to its end.
"""


@dataclass(frozen=True, slots=True)
class Attempted:
    """One attempt: the upstream's name, `What` came of it, the HTTP ``status`` if there was one, and the seconds."""

    upstream: str
    what: What
    status: int | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a call, in the words of the registry.

    ``code``      0000; 2000 if nothing was found, or with the upstream's error in ``response.error``; 4001 network,
                  4002 target server, 4017 time.
    ``response``  the value that the upstream's JSON has. A text that was asked for (``response_format``: text, srt,
                  vtt) is a str. Other files (audio, images) are a map: ``content_type``, and ``b64`` with the bytes.
                  ``[]`` where there is none.
    ``usage``     None if the upstream does not say.
    ``upstream``  the name of the one whose answer this is, or that failed last; ``""`` if there was no time for one.
    ``status``    its HTTP status, None if none came.
    ``attempts``  all of them, in their order.
    """

    code: str
    response: Any = field(default_factory=list, repr=False)
    usage: Usage | None = None
    upstream: str = ""
    status: int | None = None
    attempts: tuple[Attempted, ...] = ()
