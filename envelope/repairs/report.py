"""What was repaired: every edit, every choice that was not made, and what is missing for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Cause", "Choice", "Edit", "Missing", "Repair", "apply"]

Cause = Literal["length", "name", "count", "cut"]
"""``length``: of a string, a class or an enum. ``name``: the NULs in the name of a property. ``count``: of a container.
``cut``: the input ends, so what is not whole goes, and what is open is closed."""


@dataclass(frozen=True, slots=True)
class Edit:
    """At byte ``offset`` of the input, ``before`` becomes ``after``, within the value at ``path``.

    ``hint`` says what may have happened, in words, ``""`` if it is not known. ``is_only``: nothing else can be read
    here, or one text that was replaced everywhere explains all lengths that are wrong, in one way only.
    """

    offset: int
    before: bytes
    after: bytes
    path: str
    cause: Cause
    hint: str
    is_only: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A place that can be read in more than one way: two of them, each by its edits. One without edits keeps it."""

    offset: int
    path: str
    reason: str
    readings: tuple[tuple[Edit, ...], ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """The container at ``path`` lacks its last ``count`` members, which the input was cut off before."""

    path: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A repaired document: ``data`` reads with ``loads(data, "serialize", values="php")``.

    It is the input itself if that was whole, and None if there are ``choices``, unless a guess was asked for. Then
    ``edits`` are those of the likeliest reading. Offsets count bytes of the input, in order.
    """

    data: bytes | None
    edits: tuple[Edit, ...] = ()
    choices: tuple[Choice, ...] = ()
    missing: tuple[Missing, ...] = ()


def apply(data: bytes, edits: Sequence[Edit]) -> bytes:
    """Return *data* with *edits* made, which are in order and apart."""
    parts, pos = [], 0
    for edit in edits:
        parts += [data[pos : edit.offset], edit.after]
        pos = edit.offset + len(edit.before)
    return b"".join([*parts, data[pos:]])
