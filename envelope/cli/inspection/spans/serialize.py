"""Where the values of a PHP `serialize` document are."""

from __future__ import annotations

import re
from binascii import unhexlify
from typing import TYPE_CHECKING, Any, Final

from envelope.cli.inspection.spans.arrays import PhpContainer
from envelope.cli.inspection.spans.sink import Reference
from envelope.values.php_rules import text_or_bytes
from envelope.values.php_types import PhpEnum, PhpObject, PhpProperty

if TYPE_CHECKING:
    from envelope.cli.inspection.spans.sink import Sink, Steps
    from envelope.path import Link

__all__ = ["walk_serialize"]

_TOKEN: Final = re.compile(
    rb"""i:(?P<int>[^;]++); | s:(?P<string>[0-9]++):" | a:[0-9]++:(?P<array>\{) | (?P<close>\})
    | d:(?P<float>[^;]++); | b:(?P<bool>[01]); | (?P<null>N;)
    | O:[0-9]++:"(?P<object>[^"]++)":[0-9]++:\{ | E:[0-9]++:"(?P<enum>[^"]++)";
    | C:[0-9]++:"(?P<payload>[^"]++)":(?P<size>[0-9]++):\{ | S:(?P<escaped>[0-9]++):" | [rR]:(?P<slot>[0-9]++);
    """,
    re.VERBOSE,
)
_HEX: Final = re.compile(rb"(?:\\..)++", re.DOTALL)


def walk_serialize(data: bytes, sink: Sink, *, php: bool) -> None:
    """Report the values in *data* to *sink*."""
    opened: list[PhpContainer] = []
    # Where each slot is, because references refer to slots.
    slots: list[Link] | None = [] if b";R:" in data or b";r:" in data else None
    pos = 0
    while match := _TOKEN.match(data, pos):
        token, start, pos = match.lastgroup, pos, match.end()
        if token == "close":
            sink.close(pos, opened.pop().kind)
            continue
        opens = token in ("array", "object")
        value: Any = None
        if not opens:
            value, pos = _leaf(data, match, slots)
        if pos > len(data):
            break
        steps: Steps = ()
        note = ""
        link: Link = None
        if opened:
            parent = opened[-1]
            if not parent.has_key:
                _read_key(parent, value)
                continue
            steps, note = parent.take_key()
            link = (parent.link, steps[0])
        if slots is not None and not data.startswith(b"R", start):
            slots.append(link)
        if opens:
            class_name = (match["object"] or b"").decode()
            sink.open(steps, start, note, class_name)
            opened.append(PhpContainer(class_name, link, php=php))
        else:
            sink.leaf(steps, start, pos, value, note)
    while opened:
        sink.close(None, opened.pop().kind)


def _read_key(container: PhpContainer, key: str | bytes | int) -> None:
    if container.class_name:
        container.property(PhpProperty.from_mangled(key, None))
    else:
        container.key(key)


def _leaf(data: bytes, match: re.Match[bytes], slots: list[Link] | None) -> tuple[Any, int]:
    """The value of a token that does not open a container, and its end: past the end of *data* if bytes are missing."""
    token, start = match.lastgroup, match.end()
    found = match[token or 0]
    match token:
        case "string":
            end = start + int(found)
            return text_or_bytes(data[start:end]), end + 2
        case "int":
            # PHP reads any number of leading zeros, but Python refuses thousands of digits.
            number = int(found.lstrip(b"+-").lstrip(b"0") or b"0")
            return -number if found.startswith(b"-") else number, start
        case "float":
            return float(found), start
        case "bool":
            return found == b"1", start
        case "enum":
            class_name, _, case = found.decode().partition(":")
            return PhpEnum(class_name, case), start
        case "size":
            end = start + int(found)
            return PhpObject(match["payload"].decode(), payload=data[start:end]), end + 1
        case "slot":
            return Reference(slots[int(found) - 1] if slots else None), start
        case "escaped":
            # Possessive, so that the match keeps no backtracking state for each character.
            text = re.compile(rb'((?:[^\\]|\\..){%d}+)";' % int(found), re.DOTALL).match(data, start)
            if text is None:
                return None, len(data) + 1
            raw = _HEX.sub(lambda escapes: unhexlify(escapes[0].replace(b"\\", b"")), text[1])
            return text_or_bytes(raw), text.end()
    return None, start
