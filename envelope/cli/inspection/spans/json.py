"""Where the values of a JSON document are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from envelope.cli.inspection.spans.sink import Sink, Steps

__all__ = ["walk_json"]

_TOKEN: Final = re.compile(
    rb"""[ \t\r\n,:]*+ (?: (?P<string> "[^"\\]*+(?:\\.[^"\\]*+)*+" ) | (?P<word> [-+.0-9A-Za-z]++ )
    | (?P<open> [\[{] ) | (?P<close> [\]}] ) )""",
    re.VERBOSE | re.DOTALL,
)


def walk_json(data: bytes, sink: Sink) -> None:
    """Report the values in *data* to *sink*."""
    # The open containers, each as the step to its next member: an index, or a map's key (None before it was read).
    places: list[int | str | None] = []
    pos = 0
    while match := _TOKEN.match(data, pos):
        pos, token = match.end(), match.lastgroup
        start = match.start(token or 0)
        if token == "close":
            sink.close(pos, _kind(places.pop()))
            continue
        steps: Steps = ()
        if places:
            place = places[-1]
            if place is None:
                places[-1] = orjson.loads(data[start:pos])
                continue
            steps = (place,)
            places[-1] = place + 1 if isinstance(place, int) else None
        if token == "open":
            sink.open(steps, start)
            places.append(0 if data[start : start + 1] == b"[" else None)
        else:
            sink.leaf(steps, start, pos, orjson.loads(data[start:pos]))
    while places:
        sink.close(None, _kind(places.pop()))


def _kind(place: int | str | None) -> str:
    return "list" if isinstance(place, int) else "map"
