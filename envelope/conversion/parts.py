"""What a large value loses, part by part: it is never there twice, as a whole and as it was read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeAlias

from envelope.path import Link, Step
from envelope.values.php_types import Loss, compare, differences

__all__ = ["differences_in_parts"]

_PART: Final = 1024  # values: what has more is read back in parts
_BATCH: Final = 64  # members: smaller parts are read back together

_ReadBack: TypeAlias = "Callable[[list[Any] | dict[str, Any]], Any]"


@dataclass(frozen=True, slots=True)
class _Large:
    """A container that is too large for one part, and where it is."""

    link: Link
    container: list[Any] | dict[str, Any]


def differences_in_parts(root: Any, read_back: _ReadBack) -> Iterator[Loss]:
    """Yield what `differences(root, read_back(root))` does, in that order, for a tree of the portable domain.

    In ``becomes`` of a loss, the members of a large map may be missing (None): its kind and its size are right.
    *read_back* is only called with parts. What it makes of a container must not depend on what surrounds it.
    """
    large = _large_ones(root)
    if id(root) not in large:
        yield from differences(root, read_back(root), is_tree=True)
        return
    opened: list[Iterator[Loss | _Large]] = [iter([_Large(None, root)])]
    while opened:
        for found in opened[-1]:
            if isinstance(found, _Large):
                opened.append(_in_large(found.link, found.container, large, read_back))
                break
            yield found
        else:
            opened.pop()


def _in_large(
    link: Link, container: list[Any] | dict[str, Any], large: set[int], read_back: _ReadBack
) -> Iterator[Loss | _Large]:
    """What a container loses by itself and in its smaller members; the larger ones, in their places, to be entered."""
    members: Iterator[tuple[Step, Any]] = iter(enumerate(container))
    if isinstance(container, dict):
        members = iter(container.items())
        # What becomes of its keys depends on all of them.
        keys = dict.fromkeys(container)
        for loss in differences(keys, read_back(keys), is_tree=True):
            yield Loss(link, container, loss.becomes, loss.note)
    while batch := list(islice(members, _BATCH)):
        small: list[tuple[Step, Any]] = []
        for step, child in batch:
            if id(child) in large:
                yield from _in_small(link, small, read_back)
                small = []
                yield _Large((link, step), child)
            else:
                small.append((step, child))
        yield from _in_small(link, small, read_back)


def _in_small(link: Link, members: list[tuple[Step, Any]], read_back: _ReadBack) -> Iterator[Loss]:
    """What members of one container lose, read back together."""
    if members:
        written = read_back([child for _, child in members])
        pairs = (((link, step), child, other) for (step, child), other in zip(members, written, strict=True))
        yield from compare(pairs, is_tree=True)


def _large_ones(root: Any) -> set[int]:
    """The ids of the containers that hold more than a part's values."""
    large = set()
    # Each open container, what is left of its members, and how many values it holds so far.
    opened: list[tuple[Any, Iterator[Any], list[int]]] = [(None, iter([root]), [0])]
    while opened:
        container, members, count = opened[-1]
        for child in members:
            if type(child) in (list, dict):
                opened.append((child, _values(child), [1]))
                break
            count[0] += 1
        else:
            opened.pop()
            if opened:  # it is a container, not what holds the root
                opened[-1][2][0] += count[0]
                if count[0] > _PART:
                    large.add(id(container))
    return large


def _values(container: Any) -> Iterator[Any]:
    return iter(container.values() if type(container) is dict else container)
