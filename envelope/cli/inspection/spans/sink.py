"""What a walk reports: the values of a document, each with its byte range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from envelope.path import Link, Step
from envelope.values.glimpse import kind_of

__all__ = ["Reference", "Sink", "Steps", "leaf_kind"]

Steps: TypeAlias = tuple[Step, ...]
"""From a container to its member: one step; none to the root; two to a repeated name in plain xml."""


@dataclass(frozen=True, slots=True)
class Reference:
    """PHP's `r:` and `R:`: not a value, but the place of an earlier one."""

    target: Link


def leaf_kind(value: object) -> str:
    """The kind of a value without members."""
    return "reference" if isinstance(value, Reference) else kind_of(value)


class Sink(Protocol):
    """Receives every value in document order; offsets are in bytes, *end* is exclusive."""

    def leaf(self, steps: Steps, start: int, end: int, value: Any, note: str = "") -> None:
        """A value without members. *note* is the visibility of an object's property."""

    def open(self, steps: Steps, start: int, note: str = "", class_name: str = "") -> None:
        """A container begins; its members follow. *class_name* is set for an object."""

    def close(self, end: int | None, kind: str) -> None:
        """The innermost open ``list``, ``map`` or ``object`` ends. *end* is None if the bytes end first."""
