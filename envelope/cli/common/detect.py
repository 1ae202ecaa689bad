"""`--from auto`: detect a document's format from its file name, else from how it begins, or what is in it."""

from __future__ import annotations

from typing import Final

from envelope import DecodeError, unwrap
from envelope.formats import FORMATS, ResultType, get_format
from envelope.formats.detection import candidates
from envelope.limits import Limits

__all__ = ["detect"]

_SUFFIXES: Final = {row.suffix: row.name for row in FORMATS.values()} | {
    ".ser": ResultType.SERIALIZE,
    ".php": ResultType.VAR_EXPORT,
}


def detect(name: str, data: bytes, limits: Limits = Limits()) -> ResultType | None:  # noqa: B008  # it is frozen
    """The format by the file *name*, else by *data*; None if neither is conclusive.

    Of what stands around a document, the format is that of the document: its reader's error says what to take off.
    """
    # The longest suffix wins: `.jsonu.json` also ends in `.json`.
    suffixes = [suffix for suffix in _SUFFIXES if name.lower().endswith(suffix)]
    if suffixes:
        return _SUFFIXES[max(suffixes, key=len)]
    looks = [format for format, _ in candidates(data)]
    # What begins with a square bracket is JSON, or a short array of PHP if that is what it reads as.
    is_both = looks[:2] == [ResultType.JSON, ResultType.VAR_EXPORT]
    if looks and not (is_both and not _is_json(data, limits)):
        return looks[0]
    try:
        return unwrap(data, limits=limits).format
    except DecodeError:
        return None


def _is_json(data: bytes, limits: Limits) -> bool:
    row = get_format(ResultType.JSON)
    try:
        row.loads(data, row.reading(limits=limits))
    except DecodeError as error:
        return error.kind != "malformed"
    return True
