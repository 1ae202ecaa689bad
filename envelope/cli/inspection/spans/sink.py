"""What a walk tells: the values of a document, each with its place in the bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from envelope.path import Link, Step
from envelope.values.glimpse import kind_of

__all__ = ["Reference", "Sink", "Steps", "leaf_kind"]

Steps: TypeAlias = tuple[Step, ...]
"""From a container to its member: one step; none to the root; two to a name that repeats in plain xml."""


@dataclass(frozen=True, slots=True)
class Reference:
    """PHP's `r:` and `R:`: not a value but the place of one, met before."""

    target: Link


def leaf_kind(value: object) -> str:
    """The kind of a value without members."""
    return "reference" if isinstance(value, Reference) else kind_of(value)


class Sink(Protocol):
    """Is told of every value in document order; offsets are bytes, *end* is the byte behind."""

    def leaf(self, steps: Steps, start: int, end: int, value: Any, note: str = "") -> None:
        """A value that has no members. *note* says how it is visible, of an object's property."""

    def open(self, steps: Steps, start: int, note: str = "", class_name: str = "") -> None:
        """A container begins; its members follow. *class_name* is that of an object."""

    def close(self, end: int | None, kind: str) -> None:
        """The innermost open container ends: a ``list``, ``map`` or ``object``. *end* is None where the bytes end."""
