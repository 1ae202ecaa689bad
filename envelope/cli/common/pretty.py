"""`--pretty`: add white space to a document and change nothing else, not even the spelling of values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import orjson

from envelope.errors import EncodeError
from envelope.formats import ResultType
from envelope.formats.json.write import escape_not_ascii
from envelope.hints import Hint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envelope.limits import Limits

__all__ = ["pretty"]


def pretty(body: bytes, format: str, limits: Limits) -> bytes:
    """*body*, a document in the typed dialect or plain XML, indented by 2; it reads back as the same value."""
    size = 0
    lines: list[bytes] = []
    for line in _lines(body, format):
        lines.append(line)
        # Indentation may be far larger than the document.
        size += len(line) + 1
        if size - 1 > limits.max_bytes:
            raise EncodeError(
                f"indented, the output is longer than {limits.max_bytes} bytes",
                kind="limit",
                format=format,
                hint=Hint("raise-limit", "max_bytes"),
            )
    return b"\n".join(lines)


def _lines(body: bytes, format: str) -> Iterator[bytes]:
    if format == ResultType.XML:
        yield from _xml_lines(body)
    elif format == ResultType.VAR_EXPORT:
        yield body  # PHP indents it
    else:
        indented = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2)
        yield escape_not_ascii(indented) if format == ResultType.JSON else indented


# The writer escapes > in text and attributes, and writes an empty element as one tag: tags touch only in containers.
_BETWEEN_TAGS: Final = re.compile(rb"(?<=>)(?=<)")


def _xml_lines(body: bytes) -> Iterator[bytes]:
    declaration, *tags = _BETWEEN_TAGS.split(body)
    yield declaration
    depth = 0
    for line in tags:
        closes = line.startswith(b"</")
        depth -= closes
        yield b"  " * depth + line
        depth += not closes and b"</" not in line and not line.endswith(b"/>")
