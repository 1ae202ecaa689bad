"""Whether bytes are a document, as they stand."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

from envelope.errors import DecodeError
from envelope.formats import ResultType, get_format
from envelope.formats.common.wrapping import guard_end
from envelope.formats.detection import candidates
from envelope.layers.ends import WHITE
from envelope.limits import Limits

if TYPE_CHECKING:
    from envelope.options import Dialect

__all__ = ["RANKS", "Rank", "Reading", "reading_of"]

Rank = Literal["unknown", "expanded", "looks", "refused", "reads"]
"""How far bytes are a document: ``expanded`` was compressed, with a checksum, and looks like none; ``looks`` begins
like one; ``refused`` is one that goes beyond a limit, or is forbidden; ``reads`` is one."""

RANKS: Final[tuple[Rank, ...]] = get_args(Rank)


class Reading(NamedTuple):
    """How far some bytes are a document, and of what format and dialect, as far as that is known."""

    rank: Rank
    format: ResultType | None
    dialect: Dialect | None


def reading_of(data: bytes, limits: Limits) -> Reading:
    """Return how *data* reads, or what it looks like.

    White space and a BOM around a document are not of it, also where its reader passes over them; only a PHP file has a
    line end of its own.
    """
    best = Reading("unknown", None, None)
    is_bare = data.strip(WHITE) == data and not data.startswith(codecs.BOM_UTF8)
    for format, dialect in candidates(data):
        may_have_ends = (
            dialect == "session_binary"
            or (dialect == "session" and data[-1:] not in WHITE)
            or (dialect == "file" and data.startswith(b"<?"))
        )
        rank = _rank(data, format, dialect, limits) if is_bare or may_have_ends else "looks"
        if RANKS.index(rank) > RANKS.index(best.rank):
            best = Reading(rank, format, dialect)
        if rank == "reads":
            break
    return best


def _rank(data: bytes, format: ResultType, dialect: Dialect, limits: Limits) -> Rank:
    row = get_format(format)
    more: dict[str, Any] = {}
    if row.is_json:
        more = {"flags": ("JSON_BIGINT_AS_STRING",)}
    elif dialect == "plain":
        more = {"attributes": "drop", "namespaces": "drop", "encoding": "declared"}
    options = row.reading("php" if row.is_php else "portable", dialect, limits, **more)
    try:
        # Names that nobody knows make a list no short array of PHP.
        row.read(data, options, _unknown if dialect == "file" and data.startswith(b"<?") else None)
    except DecodeError as error:
        # To the reader of PHP files, a guard is code that would have to be run, and so is much that is no PHP at all.
        is_code = dialect == "file" and (not data.startswith(b"<?") or guard_end(data) > 0)
        return "looks" if error.kind == "malformed" or is_code else "refused"
    return "reads"


def _unknown(_: str, __: list[Any] | None) -> None:
    """What a PHP file does not tell does not matter here."""
