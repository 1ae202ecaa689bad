"""Values that contain themselves: as many pairs are compared as there are containers, and the outcome is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.values import PhpObject, comparison, differences, php_types
from envelope.values.comparison import changes
from envelope.values.php_types import Correspondence

SCALARS = st.sampled_from([None, True, 0, 0.0, "a"])


class Pairwise:
    """What `Correspondence` would be if nothing followed from what is known: every pair is looked at, once."""

    def __init__(self) -> None:
        self.met: set[tuple[int, int]] = set()

    def add(self, one: object, other: object) -> bool:
        pair = id(one), id(other)
        is_new = pair not in self.met
        self.met.add(pair)
        return is_new


class Counted(Correspondence):
    """Counts the pairs that are looked at."""

    looked_at = 0

    def add(self, one: object, other: object) -> bool:
        is_new = super().add(one, other)
        Counted.looked_at += is_new
        return is_new


@st.composite
def graphs(draw: st.DrawFn) -> Any:
    """A list, map or object in which each container may also be in other places, even in itself."""
    count = draw(st.integers(1, 6))
    nodes: list[Any] = [draw(st.sampled_from([list, dict, list]))() for _ in range(count)]
    members = [[*nodes], [PhpObject("A", {"p": node}) for node in nodes]]
    for node in nodes:
        for place in range(draw(st.integers(0, 3))):
            is_node = draw(st.booleans())
            child = draw(st.sampled_from(draw(st.sampled_from(members)))) if is_node else draw(SCALARS)
            if isinstance(node, list):
                node.append(child)
            else:
                node[f"k{place}"] = child
    return nodes[0]


def trees() -> st.SearchStrategy[Any]:
    return st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner), max_leaves=8
    )


def found(compare: Callable[[Any, Any], Iterator[Any]], before: Any, after: Any, pairs: type) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(php_types, "Correspondence", pairs)
        patch.setattr(comparison, "Correspondence", pairs)
        return [str(each) for each in compare(before, after)]


def is_among(some: list[str], others: list[str]) -> bool:
    """Whether *some* are among *others*, in that order."""
    rest = iter(others)
    return all(each in rest for each in some)


@pytest.mark.parametrize("compare", [differences, changes])
@given(before=graphs(), after=graphs())
def test_what_follows_from_what_is_known_changes_no_verdict(compare: Any, before: Any, after: Any) -> None:
    quick, slow = found(compare, before, after, Correspondence), found(compare, before, after, Pairwise)
    assert quick[:1] == slow[:1]
    assert is_among(quick, slow)


@pytest.mark.parametrize("compare", [differences, changes])
@given(tree=trees(), other=trees() | graphs())
def test_every_place_is_found_if_one_of_the_values_is_a_tree(compare: Any, tree: Any, other: Any) -> None:
    for before, after in ((tree, other), (other, tree)):
        expected = found(compare, before, after, Pairwise)
        assert found(compare, before, after, Correspondence) == expected
        assert [str(each) for each in compare(before, after, is_tree=True)] == expected


def ring(length: int, kind: type, first: int) -> Any:
    """Containers each of which holds the next and a number, the last one the first one; the number is *first*, then 0."""
    nodes: list[Any] = [{} if kind is dict else [] for _ in range(length)]
    for place, node in enumerate(nodes):
        members = {"next": nodes[place + 1 - length], "number": 0 if place else first}
        if kind is dict:
            node |= members
        else:
            node += members.values() if kind is list else [PhpObject("A", members)]
    return nodes[0]


@pytest.mark.parametrize("kind", [dict, list, PhpObject])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("compare", [differences, changes])
def test_cycles_are_compared_in_as_many_steps_as_they_have_containers(compare: Any, kind: type, first: int) -> None:
    def looked_at(length: int) -> int:
        Counted.looked_at = 0
        places = found(compare, ring(length, kind, 0), ring(length + 1, kind, first), Counted)
        assert bool(places) == (first == 1 or (kind is PhpObject))  # objects that are one here are two there
        return Counted.looked_at

    assert 0 < looked_at(100) <= 4 * 201
    assert looked_at(200) <= 2 * looked_at(100)
