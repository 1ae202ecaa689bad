"""PHP's references as values: boxes that several places share."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import envelope
from envelope import Loss, PhpObject, PhpReference, same
from envelope.values import changes, differences
from envelope.values.glimpse import glimpse, kind_of


def cycle() -> list[Any]:
    """A list that contains itself by reference."""
    items: list[Any] = [1]
    items.append(PhpReference(items))
    return [items[1], items[1]]


def shared(value: object, count: int = 2) -> list[Any]:
    return [PhpReference(value)] * count


def test_a_reference_is_a_box_that_can_be_set() -> None:
    first, second = shared(1)
    first.value = "new"
    assert second.value == "new"
    for fault in (lambda: PhpReference(first), lambda: setattr(first, "value", first)):
        with pytest.raises(TypeError, match="a reference cannot hold a reference"):
            fault()
    with pytest.raises(TypeError, match="unhashable"):
        hash(first)


def test_repr_shows_kind_and_size() -> None:
    assert repr(PhpReference("secret")) == "<PhpReference to str of 6>"
    assert repr(cycle()) == "[<PhpReference to list of 2>, <PhpReference to list of 2>]"
    assert (kind_of(PhpReference(1)), glimpse(PhpReference([1]))) == ("reference", "reference to list of 1")


@pytest.mark.parametrize("value", [shared(1), shared([1]), shared(PhpObject("A", {"b": 1})), cycle()])
def test_copies_and_pickles_are_the_same(value: Any) -> None:
    for again in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):
        assert same(again, value)
        assert again[0] is again[1]
        assert again[0] is not value[0]
    flat = PhpReference(value)
    assert copy.copy(flat) == flat
    assert copy.copy(flat).value is value
    assert list(changes(value, value)) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PhpReference(5), 5), (5, PhpReference(5)), (PhpReference(5), PhpReference(6)), (PhpReference(5), PhpReference(5.0)),
        (shared(1), [PhpReference(1), PhpReference(1)]), ([PhpReference(1), PhpReference(1)], shared(1)),
        (shared(1, 3), [*shared(1), PhpReference(1)]), (shared([]), [[], []]), ([[], []], shared([])),
        (cycle(), [cycle()[0], cycle()[0]]), ({"a": PhpReference([1])}, {"a": PhpReference([2])}),
    ],
)  # fmt: skip
def test_what_is_not_the_same(before: Any, after: Any) -> None:
    assert not same(before, after)
    assert list(changes(before, after))


def test_references_are_equal_when_their_values_are_the_same() -> None:
    assert PhpReference([1]) == PhpReference([1])
    assert PhpReference(1) != PhpReference(True)
    assert PhpReference(1) != 1
    assert cycle() == cycle()


def test_a_lost_reference_is_one_place_and_is_not_entered_again() -> None:
    inner = PhpReference([1, "x"])
    assert list(differences([inner, inner], [[1, "x"], [1, "y"]])) == [
        Loss("$[0]", inner, [1, "x"]), Loss("$[1]", inner, [1, "y"]),
    ]  # fmt: skip
    notes = ["value reference", "", "value reference"]
    assert [loss.note for loss in differences([inner, inner], [[1, "y"], [1, "y"]])] == notes
    assert [(loss.path, loss.note) for loss in differences(PhpReference(1), "1")] == [("$", notes[0]), ("$", "")]
    assert [loss.path for loss in differences([inner], [[1, "y"]])] == ["$[0]", "$[0][1]"]
    user = PhpObject("A", {"b": 1})
    known = [user, PhpReference(user)]
    assert [str(loss) for loss in differences(known, [user, user])] == [
        "$[1]: PhpReference → PhpObject A (value reference)"
    ]
    found = differences(known, [user, PhpObject("A", {"b": 1})])
    assert [(loss.path, loss.note) for loss in found] == [("$[1]", notes[0]), ("$[1]", "shared, then a copy")]


def test_what_is_compared_with_a_tree_is_compared_wherever_it_is() -> None:
    found = differences(shared([PhpObject("A")]), [[{}], [{}]], is_tree=True)
    assert [loss.path for loss in found] == ["$[0]", "$[0][0]", "$[1]", "$[1][0]"]
    found = differences(shared(PhpObject("A")), [{}, {}], is_tree=True)
    assert [loss.path for loss in found] == ["$[0]", "$[0]", "$[1]", "$[1]"]


def test_losses_are_told_where_a_reference_comes_again() -> None:
    value = [*shared("a"), PhpReference("alone")]
    assert envelope.losses(value, "serialize", values="php") == []
    (loss,) = envelope.losses(value, "var_export", values="php")
    assert (loss.path, loss.becomes, loss.note) == ("$[1]", "a", "value reference")
