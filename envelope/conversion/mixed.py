"""Columns in which serialized documents stand among plain texts, as in WordPress's tables of metadata.

The rule is that of WordPress's `is_serialized` (strict) and `maybe_unserialize`, since 6.1: it looks at how a cell
begins and ends, and at nothing between. So a payload (``C:``) and ``d:INF;`` are plain texts, and what begins and ends
like a document but is broken is none. What begins so and does not end so is a plain text, too: most often a document
that was cut.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["as_document", "begins_serialized", "is_serialized", "trimmed"]

_SPACE: Final = b" \n\r\t\v\0"  # what PHP's trim takes off
_SCALAR: Final = re.compile(rb"N;|[bid]:[0-9.E+-]+;")
_HEAD: Final = re.compile(rb"[saOE]:[0-9]+:")
_BEGINNING: Final = re.compile(rb"a:[0-9]+:\{|[sOE]:[0-9]+:\"")


def trimmed(cell: bytes) -> bytes:
    """Return *cell* without the white space around it, which may stand around a document."""
    return cell.strip(_SPACE)


def is_serialized(cell: bytes) -> bool:
    """Return whether *cell*, which is `trimmed`, is taken for a serialized document."""
    if not _HEAD.match(cell):
        return _SCALAR.fullmatch(cell) is not None
    return cell.endswith((b'";', b'"}') if cell.startswith(b"s") else (b";", b"}"))


def begins_serialized(cell: bytes) -> bool:
    """Return whether *cell*, which is `trimmed`, begins as a string, an array, an object or an enum's case does."""
    return _BEGINNING.match(cell) is not None


def as_document(text: bytes) -> bytes:
    """Return the document that is the string *text*: it is converted as any other string."""
    return b's:%d:"%s";' % (len(text), text)
