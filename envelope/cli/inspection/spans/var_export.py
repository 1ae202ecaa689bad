"""Where the values of a PHP `var_export` document are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envelope.cli.inspection.spans.arrays import PhpContainer
from envelope.values.php_rules import text_or_bytes
from envelope.values.php_types import PhpEnum, PhpProperty

if TYPE_CHECKING:
    from envelope.cli.inspection.spans.sink import Sink, Steps

__all__ = ["walk_var_export"]

_NAME: Final = rb"[A-Za-z0-9_\x80-\xff]++(?:\\[A-Za-z0-9_\x80-\xff][A-Za-z0-9_\x80-\xff]*+)*+"
_TEXT: Final = rb"'[^'\\]*+(?:\\.[^'\\]*+)*+'"
# Before Python 3.11.5, an optional possessive group that fails half-way matches, and matching continues from there.
_TOKEN: Final = re.compile(
    rb"""[ \n,]*+ (?P<value> (?P<string> %(text)b )
    | (?P<array> array[ ]\(\n ) | \(object\)[ ](?P<std> array\(\n ) | \\?(?P<object> %(name)b )::__set_state\(array\(\n
    | \\?(?P<class> %(name)b )::(?P<case> [A-Za-z0-9_\x80-\xff]++ ) | (?P<minimum> -9223372036854775807-1 )
    | (?P<float> -?[0-9]++\.[0-9]++(?:E[-+][0-9]++)? ) | (?P<int> -?[0-9]++ ) | (?P<word> -?[A-Za-z]++ )
    | (?P<close> \)\)?+ ) )"""
    % {b"text": _TEXT, b"name": _NAME},
    re.VERBOSE | re.DOTALL,
)
_ARROW: Final = re.compile(rb" =>[ ]?+")
# Texts, each after a NUL; not all at once, because the group keeps backtracking state for each.
_MORE: Final = re.compile(rb'(?: \. "\\0" \. %b){1,1000}' % _TEXT, re.DOTALL)
_PART: Final = re.compile(_TEXT, re.DOTALL)
_ESCAPE: Final = re.compile(rb"\\(.)", re.DOTALL)
_WORDS: Final = {b"NULL": None, b"true": True, b"false": False}


def walk_var_export(data: bytes, sink: Sink, *, php: bool) -> None:
    """Report the values in *data* to *sink*."""
    opened: list[PhpContainer] = []
    pos = 0
    while match := _TOKEN.match(data, pos):
        start, end = match.span("value")
        if match["string"]:
            end = _joined_end(data, end)
            if not end:
                break
        arrow = _ARROW.match(data, end)
        pos = arrow.end() if arrow else end
        if match["close"]:
            sink.close(end, opened.pop().kind)
            continue
        class_name = _class_name(match)
        opens = class_name is not None
        value: Any = None if opens else _scalar(match, data[start:end])
        if arrow:
            if opened[-1].class_name:
                opened[-1].property(PhpProperty(value, None))
            else:
                opened[-1].key(value)
            continue
        steps: Steps = ()
        if opened:
            if not opened[-1].has_key:
                break  # a key without its arrow: the bytes end after it
            steps, _ = opened[-1].take_key()
        if class_name is not None:
            sink.open(steps, start, class_name=class_name)
            opened.append(PhpContainer(class_name, php=php))
        else:
            sink.leaf(steps, start, end, value)
    while opened:
        sink.close(None, opened.pop().kind)


def _class_name(match: re.Match[bytes]) -> str | None:
    """The class of the container that opens here, empty for an array; None if none opens."""
    if match["object"]:
        return match["object"].decode()
    return "stdClass" if match["std"] else "" if match["array"] else None


def _joined_end(data: bytes, end: int) -> int:
    """Where the texts joined to the one that ends at *end* end; 0 if part of them, or of an arrow, is missing."""
    while data.startswith(b" ", end) and not data.startswith(b" =>", end):
        more = _MORE.match(data, end)
        if more is None:
            return 0
        end = more.end()
    return end


def _scalar(match: re.Match[bytes], found: bytes) -> Any:
    if match["string"]:
        parts = _PART.findall(found) if b'"\\0"' in found else [found]
        return text_or_bytes(b"\0".join(_ESCAPE.sub(rb"\1", part[1:-1]) for part in parts))
    if match["case"]:
        return PhpEnum(match["class"].decode(), match["case"].decode())
    if match["minimum"]:
        return -(2**63)
    if match["int"]:
        return int(found)
    return _WORDS[found] if found in _WORDS else float(found)
