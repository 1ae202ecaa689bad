"""What differs between two values, member by member: for people who look for the reason.

`envelope.values.differences` compares the members of two containers in order, as a conversion keeps them. Here maps
are compared by key, so that one extra key does not hide other changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from envelope.path import Link, Step, format_link, link_steps, short_path
from envelope.values.glimpse import glimpse
from envelope.values.php_types import Loss, PhpObject, differences, same

__all__ = ["Change", "changes", "describe_change", "parting"]

_CONTEXT: Final = 10  # characters shown before the place where two long texts part


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One place that differs. ``sign`` is ``-`` (only before), ``+`` (only after) or ``~`` (in both, but not the same).

    ``was`` or ``becomes`` is None if there is nothing.
    """

    sign: Literal["-", "+", "~"]
    place: str | Link
    was: Any = None
    becomes: Any = None
    note: str = ""

    @property
    def path(self) -> str:
        """The whole path of the place."""
        return self.place if isinstance(self.place, str) else format_link(self.place)

    def __str__(self) -> str:
        place = self.place if isinstance(self.place, str) else short_path(link_steps(self.place))
        return f"{self.sign} {place}: {self.text}"

    @property
    def text(self) -> str:
        """What differs, without the place."""
        if self.sign == "-":
            return glimpse(self.was)
        if self.sign == "+":
            return glimpse(self.becomes)
        if self.note:
            return self.note
        start = 0
        if type(self.was) is type(self.becomes) and isinstance(self.was, str | bytes):
            place = parting(self.was, self.becomes)
            start = place - _CONTEXT if place > 2 * _CONTEXT else 0
        return f"{glimpse(self.was, start)} → {glimpse(self.becomes, start)}"


def changes(before: object, after: object) -> Iterator[Change]:
    """Yield each place where *after* differs from *before*; none exactly when `envelope.values.same` holds.

    In the order of *before*; what a container lacks, then what is new in it, comes first. Iterative, and each pair of
    containers is entered once, so depth, cycles and sharing are safe.
    """
    found = False
    for change in _by_member(before, after):
        found = True
        yield change
    if not found:
        # The members are the same, but they share objects differently.
        for loss in differences(before, after):
            yield Change("~", loss.path, loss.was, loss.becomes, loss.note)


def _by_member(before: object, after: object) -> Iterator[Change]:
    pairs: list[tuple[Link, Any, Any]] = [(None, before, after)]
    met: set[tuple[int, int]] = set()
    while pairs:
        link, was, becomes = pairs.pop()
        if not _is_comparable(was, becomes):
            if not same(was, becomes):
                yield Change("~", link, was, becomes)
            continue
        if (id(was), id(becomes)) in met:
            continue
        met.add((id(was), id(becomes)))
        old, new = _members(was), _members(becomes)
        for head, (step, value) in old.items():
            if head not in new:
                yield Change("-", (link, step), was=value)
        for head, (step, value) in new.items():
            if head not in old:
                yield Change("+", (link, step), becomes=value)
        kept = [head for head in old if head in new]
        if kept != [head for head in new if head in old]:
            yield Change("~", link, was, becomes, "the same keys in another order")
        pairs += [((link, old[head][0]), old[head][1], new[head][1]) for head in reversed(kept)]


def _is_comparable(was: Any, becomes: Any) -> bool:
    """Whether two values are containers of the same kind, with members to compare."""
    if type(was) is not type(becomes) or type(was) not in (list, dict, PhpObject):
        return False
    if type(was) is not PhpObject:
        return True
    return bool(was.class_name == becomes.class_name and was.payload is None and becomes.payload is None)


def _members(container: Any) -> Mapping[Hashable, tuple[Step, Any]]:
    """Each member's step and value, under what distinguishes it from the others."""
    if type(container) is dict:
        return {key: (key, value) for key, value in container.items()}
    if type(container) is list:
        return dict(enumerate(enumerate(container)))
    # Parent and child may each have a private one of the same name; var_export does not even say whose is whose.
    seen: Counter[Hashable] = Counter()
    members: dict[Hashable, tuple[Step, Any]] = {}
    for entry in container.properties:
        head = entry.name, entry.visibility, entry.declared_in
        members[head, seen[head]] = entry.name, entry.value
        seen[head] += 1
    return members


_ATOMS = (bool, int, float, type(None))
_TEXTS = (str, bytes)
_REACH = 20


def describe_change(loss: Loss) -> str:
    """Return *loss* with the two scalars, or the first keys that differ; else as it describes itself."""
    was, becomes = loss.was, loss.becomes
    what = ""
    if isinstance(was, dict) and isinstance(becomes, dict):
        was, becomes = list(was), list(becomes)
        index = parting(was, becomes)
        was, becomes = was[index : index + 1], becomes[index : index + 1]
        if not (was and becomes):
            return str(loss)
        (was,), (becomes,), what = was, becomes, "key "
    if not (isinstance(was, _ATOMS + _TEXTS) and isinstance(becomes, _ATOMS + _TEXTS)):
        return str(loss)
    start = parting(was, becomes) if isinstance(was, _TEXTS) and isinstance(becomes, _TEXTS) else 0
    return f"{loss.short_path}: {what}{_spelled(was, start)} → {_spelled(becomes, start)}"


def parting(one: Sequence[object], other: Sequence[object]) -> int:
    """Return the first index at which two sequences differ; the end of the shorter if there is none."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


def _spelled(value: Any, start: int) -> str:
    """A scalar; of a string, the part around *start*."""
    if isinstance(value, _ATOMS):
        return repr(value)
    before, after = max(start - _REACH, 0), start + _REACH
    return f"{'…' * (before > 0)}{value[before:after]!r}{'…' * (after < len(value))}"
