"""The repair of a serialized document: valid ones stay as they are, others are read in every way that may be right."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final

from envelope.errors import DecodeError
from envelope.formats import get_format
from envelope.formats.common.input import as_bytes
from envelope.formats.serialize.lengths import STRING_END
from envelope.formats.serialize.read import loads
from envelope.formats.serialize.reader import FORMAT
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.options import ReadOptions
from envelope.repairs.readings import Reading, find_reading
from envelope.repairs.replaced import find_replaced
from envelope.repairs.report import Choice, Edit, Repair, apply
from envelope.repairs.rewriting import Rewriting

__all__ = ["mend", "repair"]

_TWO_ENDS: Final = "a string may end in either place"
_NOT_SEARCHED: Final = "the document is too long to look for other readings"
_LENGTHS_OR_COUNTS: Final = "either lengths or counts are wrong"
_CUT_OR_LENGTH: Final = "the input was cut within a string, or the string's length is wrong, too"


def repair(
    data: str | bytes | bytearray | memoryview, format: str, *, guess: bool = False, limits: Limits = DEFAULT_LIMITS
) -> Repair:
    """Return *data*, a broken document in *format* (only ``"serialize"``, else `TypeError`), as it can be read again.

    What is mended: lengths that do not fit (the text was re-encoded or edited), the NULs that are gone from names of
    properties, counts if all lengths fit, and an end that was cut off: what is whole is kept. Every edit is reported.
    Where one text was replaced by another everywhere, the reading that this explains is taken as the only one. Any
    other document that can be read in more than one way has ``choices`` and no ``data``, unless *guess* asks for the
    reading whose strings end nearest to where they were declared to. A valid document stays as it is. A str is taken
    as its UTF-8, in bytes.

    Raises the reader's `DecodeError` if there is no such reading, or if *data* exceeds *limits*. Time and memory are
    in proportion to the size of *data*.
    """
    if get_format(format).name != FORMAT:
        raise TypeError(f"repair() mends serialize only, not {format}")
    return mend(as_bytes(data, FORMAT, limits), limits, guess=guess)


def mend(raw: bytes, limits: Limits, *, guess: bool = False, php: bool = True) -> Repair:
    """Do what `repair` does to the bytes of a document; *php* says in which domain's words paths are.

    In the portable one a key of an array that is no list is text, as in its reader's errors.
    """
    options = ReadOptions(values="php", limits=limits)
    try:
        loads(raw, options)
    except DecodeError as error:
        if error.kind != "malformed":
            raise
        broken = error
    else:
        return Repair(data=raw)
    found = _mend(raw, limits, php=php)
    if found is None:
        raise broken
    mended = apply(raw, found.edits)
    with suppress(DecodeError):
        loads(mended, options)
        return replace(found, data=None if found.choices and not guess else mended)
    raise broken


def _mend(data: bytes, limits: Limits, *, php: bool) -> Repair | None:
    """The likeliest repair of *data*, whether or not there are others; None if there is none."""
    counted = Rewriting(data, counts=True, php=php)
    counts = _ordered(counted.edits) if counted.run() == "whole" else ()
    reading = find_replaced(data, limits.max_depth) or find_reading(data, limits.max_depth)
    edits, choice = _of_reading(data, reading, php=php) if reading else ((), None)
    if edits:
        choices = [choice] if choice else []
        if counts and counts != edits:
            choices.append(_choice(edits[0], _LENGTHS_OR_COUNTS, _uncertain(edits), _uncertain(counts)))
        return Repair(data=None, edits=_uncertain(edits) if choices else edits, choices=tuple(choices))
    if counts:
        return Repair(data=None, edits=counts)
    rest = Rewriting(data, php=php)
    if rest.run() != "cut" or not rest.close():
        return None
    edits = _ordered(rest.edits)
    if rest.cut_string < 0 or not STRING_END.search(data, rest.cut_string):
        return Repair(data=None, edits=edits, missing=tuple(rest.missing))
    edits = _uncertain(edits)
    return Repair(
        data=None, edits=edits, choices=(_choice(edits[-1], _CUT_OR_LENGTH, edits),), missing=tuple(rest.missing)
    )


def _of_reading(data: bytes, reading: Reading, *, php: bool) -> tuple[tuple[Edit, ...], Choice | None]:
    """The edits of *reading*, and the first choice that it made."""
    start, end = reading.other or (-1, -1)
    rewriting = Rewriting(data, reading.ends, watched=start, php=php)
    rewriting.run()
    edits = _ordered(rewriting.edits)
    if not edits or (reading.other is None and reading.is_searched):
        return edits, None
    if reading.other is None:
        return edits, _choice(edits[0], _NOT_SEARCHED, _uncertain(edits))
    head = data.rindex(b"s:", 0, start) + 2
    digits = data[head : start - 2]
    both = []
    for size in (reading.ends[start] - 2 - start, end - 2 - start):
        after = b"%d" % size
        edit = Edit(head, digits, after, rewriting.watched_path, "length", "", is_only=False)
        both.append((edit,) if after != digits else ())
    return edits, Choice(head, rewriting.watched_path, _TWO_ENDS, tuple(both))


def _choice(edit: Edit, reason: str, *readings: tuple[Edit, ...]) -> Choice:
    return Choice(edit.offset, edit.path, reason, readings)


def _uncertain(edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    return tuple(replace(edit, is_only=False) for edit in edits)


def _ordered(edits: list[Edit]) -> tuple[Edit, ...]:
    return tuple(sorted(edits, key=lambda edit: edit.offset))
