"""What a comparison leaves out: nothing else changes, and neither does the value that was given."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope.path import format_path
from envelope.testing.strategies import php_values, values
from envelope.values import PhpObject, without

VALUE = {"id": 7, "list": [{"x": 1, "y": 2}, {"x": 3}, 5], 3: "three", b"\xff": 0}


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("$.id", {"list": VALUE["list"], 3: "three", b"\xff": 0}),
        ("list[*].x", {**VALUE, "list": [{"y": 2}, {}, 5]}),
        ("$.list[1]", {**VALUE, "list": [{"x": 1, "y": 2}, None, 5]}),
        ("$.list[2]", {**VALUE, "list": [{"x": 1, "y": 2}, {"x": 3}]}),
        ('$.list["2"]', {**VALUE, "list": [{"x": 1, "y": 2}, {"x": 3}]}),
        ("$.list[*]", {**VALUE, "list": []}),
        ("$[3]", {key: VALUE[key] for key in VALUE if key != 3}),
        ('$["3"]', {key: VALUE[key] for key in VALUE if key != 3}),
        (r'$["\\xff"]', {key: VALUE[key] for key in VALUE if key != b"\xff"}),
        ("$.id.deeper", VALUE),
        ("$.nowhere", VALUE),
        ("$[*]", {}),
        ("$", None),
    ],
)
def test_what_is_at_a_path_is_left_out(path: str, left: Any) -> None:
    before = copy.deepcopy(VALUE)
    assert envelope.same(without(VALUE, [path]), left)
    assert envelope.same(VALUE, before)


def test_properties_of_objects_are_left_out_and_the_object_stays() -> None:
    given = [PhpObject("A", {"p": 1, "q": PhpObject("B", {"r": [1, 2], "s": 3})}), "x"]
    left = without(given, ["$[*].q.r[0]", "$[0].p"])
    assert envelope.same(left, [PhpObject("A", {"q": PhpObject("B", {"r": [None, 2], "s": 3})}), "x"])
    assert given[0]["p"] == 1  # type: ignore[index]
    assert given[0]["q"]["r"] == [1, 2]  # type: ignore[index]


def test_an_object_that_holds_itself_is_left_at_its_path_only() -> None:
    cycle = envelope.loads(b'O:1:"A":2:{s:4:"self";r:1;s:1:"x";i:1;}', "serialize", values="php")
    left = without(cycle, ["$.self.self.x"])
    assert (left["x"], left["self"]["x"], left["self"]["self"].get("x")) == (1, 1, None)
    assert cycle["self"]["self"]["x"] == 1


@given(value=values() | php_values(), paths=st.lists(st.lists(st.integers(0, 2) | st.sampled_from("ab"), max_size=3)))
def test_leaving_out_changes_nothing_in_what_was_given_and_can_be_done_twice(value: Any, paths: list[Any]) -> None:
    texts = [format_path(steps) for steps in paths]
    before = copy.deepcopy(value)
    left = without(value, texts)
    assert envelope.same(value, before)
    assert envelope.same(without(value, []), value)
    if not any(isinstance(step, int) for steps in paths for step in steps):  # the last of a list is another one then
        assert envelope.same(without(left, texts), left)


def test_references_are_copied_on_the_way() -> None:
    read = envelope.loads(b"a:2:{i:0;a:2:{i:0;i:1;i:1;i:2;}i:1;R:2;}", "serialize", values="php", references="keep")
    left = without(read, ["$[1][1]"])
    assert envelope.same([item.value for item in left], [[1, 2], [1]])
    assert read[1].value == [1, 2]


def test_what_is_not_a_path_is_refused() -> None:
    with pytest.raises(ValueError, match="not a path"):
        without({}, ["$.."])
    with pytest.raises(TypeError, match=r"as in \('\$\.id',\)"):
        without({"id": 1}, "$.id")
