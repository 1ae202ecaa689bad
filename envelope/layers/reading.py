"""Whether bytes are a document, as they stand."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any

from envelope.errors import DecodeError
from envelope.formats import ResultType, get_format
from envelope.formats.common.wrapping import guard_end
from envelope.formats.detection import candidates
from envelope.layers.ends import WHITE
from envelope.limits import Limits

if TYPE_CHECKING:
    from envelope.options import Dialect

__all__ = ["reading_of"]


def reading_of(data: bytes, limits: Limits) -> tuple[ResultType, Dialect] | None:
    """Return the format and dialect in which *data* reads; None if there is none.

    What is well-formed but refused, or beyond a limit, is a document, too. White space and a BOM around one are not of
    it, also where its reader passes over them; only a PHP file has a line end of its own.
    """
    is_bare = data.strip(WHITE) == data and not data.startswith(codecs.BOM_UTF8)
    for format, dialect in candidates(data):
        may_have_ends = (
            dialect == "session_binary"
            or (dialect == "session" and data[-1:] not in WHITE)
            or (dialect == "file" and data.startswith(b"<?"))
        )
        if (is_bare or may_have_ends) and _reads(data, format, dialect, limits):
            return format, dialect
    return None


def _reads(data: bytes, format: ResultType, dialect: Dialect, limits: Limits) -> bool:
    row = get_format(format)
    more: dict[str, Any] = {}
    if dialect == "plain":
        more = {"attributes": "drop", "namespaces": "drop", "encoding": "declared"}
    options = row.reading("php" if row.is_php else "portable", dialect, limits, **more)
    try:
        row.read(data, options, _unknown if dialect == "file" else None)
    except DecodeError as error:
        # To the reader of PHP files, a guard is code that would have to be run.
        return error.kind != "malformed" and not (dialect == "file" and guard_end(data))
    return True


def _unknown(_: str, __: list[Any] | None) -> None:
    """What a PHP file does not tell does not matter here."""
