"""How documents begin: which format and dialect the bytes may be in, by a look at their beginning and end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from envelope.formats import ResultType
from envelope.formats.common.wrapping import HTML_PAGE, notices_end
from envelope.options import Dialect

__all__ = ["candidates", "detect"]

_VALUE: Final = rb"(?:N;|[bidrR]:[-+.0-9IN]|[sS]:[0-9]+:\"|a:[0-9]+:\{|[OCE]:[0-9]+:\")"
# Numbers, true and false are valid in JSON and in var_export, with the same value; `[` begins a list in JSON and in a
# PHP file. What is first here is looked at first.
_BEGINNINGS: Final[tuple[tuple[ResultType, Dialect, re.Pattern[bytes]], ...]] = (
    (ResultType.XML, "typed", re.compile(rb"<root[\s>/]|<\?xml[^>]{0,200}>\s*+<root[\s>/]")),
    # Without types on its root: those are for the typed dialect alone.
    (
        ResultType.XML,
        "plain",
        re.compile(rb"<(?!(?:\?xml[^>]{0,200}>\s*+<)?root type=)(?:\?xml\b|!--|!DOCTYPE|[A-Za-z_:\x80-\xff])"),
    ),
    (ResultType.SERIALIZE, "typed", re.compile(_VALUE)),
    (ResultType.JSON, "typed", re.compile(rb'\{\s*+(?:"|\}|\Z)|\[\s*+(?:["{\[\]0-9-]|true|false|null|\Z)|"')),
    (
        ResultType.JSON,
        "typed",
        re.compile(rb"(?:-?[0-9][0-9.eE+-]*+|true|false|null)\s*+\Z"),
    ),
    (
        ResultType.VAR_EXPORT,
        "typed",
        re.compile(
            rb"array \(\n|\(object\) array\(\n|'|(?:NULL|NAN|-?INF|-9223372036854775807-1)\s*+\Z"
            rb"|\\?[A-Za-z_\x80-\xff][\w\\\x80-\xff]*+::"
        ),
    ),
    (
        ResultType.VAR_EXPORT,
        "file",
        re.compile(
            rb"<\?php\b|\[|array ?\(|\(object\)|return\b|define ?\(|\$[A-Za-z_]\w*+\s*+[=\[]",
            re.IGNORECASE,
        ),
    ),
    (ResultType.SERIALIZE, "session", re.compile(rb"[^|\x00-\x1f\x7f;]{0,255}\|%b" % _VALUE)),
)
_FIRST_VALUE: Final = re.compile(_VALUE)
_NAME: Final = re.compile(rb'[^\x00-\x1f\x7f;:{}"]*+')
_BLANK: Final = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*+")


def detect(data: bytes) -> tuple[ResultType, Dialect] | None:
    """Return the likeliest format and dialect of *data*, after white space and a BOM; None if it looks like none."""
    return next(candidates(data), None)


def candidates(data: bytes) -> Iterator[tuple[ResultType, Dialect]]:
    """Yield the formats and dialects that *data* may be in, the likeliest first."""
    start = _BLANK.match(data).end()  # type: ignore[union-attr]  # it always matches
    if HTML_PAGE.match(data, start) or notices_end(data, start) > start:
        return
    for format, dialect, beginning in _BEGINNINGS:
        if beginning.match(data, start):
            yield format, dialect
    # The size of the first name is a byte, then the name and a value.
    end = 1 + data[0] if data else 0
    if 0 < end <= 128 and _NAME.fullmatch(data, 1, end) and _FIRST_VALUE.match(data, end):
        yield ResultType.SERIALIZE, "session_binary"
