"""What differs between two values, member by member: for people who look for the reason.

`envelope.values.differences` compares the members of two containers in order, as a conversion keeps them. Here maps
are compared by key, so that one extra key does not hide other changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from envelope.path import Link, Step, format_link, link_steps, short_path
from envelope.values.glimpse import glimpse
from envelope.values.php_types import Correspondence, Loss, PhpObject, PhpReference, differences, referred, same

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


def changes(before: object, after: object, *, is_tree: bool = False) -> Iterator[Change]:
    """Yield each place where *after* differs from *before*; none exactly when `envelope.values.same` holds.

    In the order of *before*; what a container lacks, then what is new in it, comes first. Iterative, and containers
    already found to correspond are not compared again, so depth, cycles and sharing are safe. *is_tree* promises that
    one of the values holds no container in two places, as `differences` explains.
    """
    found = False
    for change in _by_member(before, after, None if is_tree else Correspondence()):
        found = True
        yield change
    if not found and not is_tree:
        # The members are the same, but they share objects differently.
        for loss in differences(before, after):
            yield Change("~", loss.path, loss.was, loss.becomes, loss.note)


def _by_member(before: object, after: object, known: Correspondence | None) -> Iterator[Change]:
    opened: list[Iterator[tuple[Link, Any, Any]]] = [iter([(None, before, after)])]
    while opened:
        for link, was, becomes in opened[-1]:
            if type(was) is PhpReference and type(becomes) is PhpReference:
                was, becomes = referred(was), referred(becomes)
            if not _is_comparable(was, becomes):
                if not same(was, becomes):
                    yield Change("~", link, was, becomes)
            elif known is None or known.add(was, becomes):
                old, new = _members(was), _members(becomes)
                yield from _unpaired(link, old, new)
                if not _in_order(old, new):
                    yield Change("~", link, was, becomes, "the same keys in another order")
                opened.append(_pairs(link, old, new))
                break
        else:
            opened.pop()


def _unpaired(link: Link, old: _Members, new: _Members) -> Iterator[Change]:
    for head in old:
        if head not in new:
            step, value = old[head]
            yield Change("-", (link, step), was=value)
    for head in new:
        if head not in old:
            step, value = new[head]
            yield Change("+", (link, step), becomes=value)


def _in_order(old: _Members, new: _Members) -> bool:
    """Whether the members that both have are in the same order."""
    kept = (head for head in new if head in old)
    return all(head == next(kept) for head in old if head in new)


def _pairs(link: Link, old: _Members, new: _Members) -> Iterator[tuple[Link, Any, Any]]:
    """The members that both have."""
    for head in old:
        if head in new:
            step, value = old[head]
            yield (link, step), value, new[head][1]


def _is_comparable(was: Any, becomes: Any) -> bool:
    """Whether two values are containers of the same kind, with members to compare."""
    if type(was) is not type(becomes) or type(was) not in (list, dict, PhpObject):
        return False
    if type(was) is not PhpObject:
        return True
    return bool(was.class_name == becomes.class_name and was.payload is None and becomes.payload is None)


class _Members(Protocol):
    """A container's members: each one's step and value, under what distinguishes it from the others."""

    def __iter__(self) -> Iterator[Hashable]: ...
    def __contains__(self, head: object, /) -> bool: ...
    def __getitem__(self, head: Any, /) -> tuple[Step, Any]: ...


class _Keyed:
    """The members of a list or a map, without a copy: there may be millions."""

    __slots__ = ("container", "keys")

    def __init__(self, container: list[Any] | dict[Any, Any]) -> None:
        self.container = container
        self.keys = range(len(container)) if isinstance(container, list) else container.keys()

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self.keys)

    def __contains__(self, head: object) -> bool:
        return head in self.keys

    def __getitem__(self, head: Any) -> tuple[Step, Any]:
        return head, self.container[head]


def _members(container: Any) -> _Members:
    if type(container) is not PhpObject:
        return _Keyed(container)
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
