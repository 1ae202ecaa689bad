"""`--from auto`: detect a document's format from its file name, else from how it begins."""

from __future__ import annotations

import re
from typing import Final

from envelope.formats import FORMATS, ResultType

__all__ = ["detect"]

_SUFFIXES: Final = {row.suffix: row.name for row in FORMATS.values()} | {
    ".ser": ResultType.SERIALIZE,
    ".php": ResultType.VAR_EXPORT,
}

# Numbers, true and false are valid in both JSON and var_export, with the same value.
_BEGINNINGS: Final = (
    (ResultType.XML, re.compile(rb"<(?!\?(?i:php))")),
    (ResultType.SERIALIZE, re.compile(rb'N;|[bidrR]:[-+.0-9IN]|s:[0-9]+:"|S:[0-9]+:"|a:[0-9]+:\{|[OCE]:[0-9]+:"')),
    (
        ResultType.VAR_EXPORT,
        re.compile(
            rb"<\?php\b|array \(|\(object\) array\(|'|(NULL|NAN|-?INF|-9223372036854775807-1)\b|\\?\w[\w\\]*+::"
        ),
    ),
    # A session, which is a dialect of serialize: its reader's error says so.
    (ResultType.SERIALIZE, re.compile(rb"[\w.!-]{1,255}\|(?:N;|[bidrR]:[-+.0-9IN]|[sSaOCE]:[0-9])")),
    (ResultType.JSON, re.compile(rb'[{\["]|-?[0-9]|(true|false|null)\b')),
)
_BLANK: Final = re.compile(rb"(\xef\xbb\xbf)?[ \t\r\n]*")


def detect(name: str, data: bytes) -> ResultType | None:
    """The format by the file *name*, else by *data*; None if neither is conclusive."""
    # The longest suffix wins: `.jsonu.json` also ends in `.json`.
    suffixes = [suffix for suffix in _SUFFIXES if name.lower().endswith(suffix)]
    if suffixes:
        return _SUFFIXES[max(suffixes, key=len)]
    start = _BLANK.match(data).end()  # type: ignore[union-attr]  # it always matches
    return next((format for format, beginning in _BEGINNINGS if beginning.match(data, start)), None)
