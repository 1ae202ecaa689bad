"""What objects show on the way to JSON: what json_encode does, or everything."""

from __future__ import annotations

import json
from typing import Any

import hypothesis
import pytest

import envelope
from envelope import EncodeError, Limits, LossError, LossWarning, PhpEnum, PhpObject, PhpProperty, PhpReference
from envelope.conversion import Conversion, project
from envelope.formats import get_format
from envelope.options import Objects
from envelope.testing.strategies import php_values
from tests import php as php_process
from tests.conversion import php_classes_run

pytestmark = pytest.mark.usefixtures("impl")


def shown(body: bytes, objects: Objects = "public") -> Any:
    return project(envelope.loads(body, "serialize", values="php"), "json", Limits(), objects)


def to_json(body: bytes, **options: Any) -> bytes:
    return envelope.convert(body, "serialize", "json", values="php", on_loss="ignore", **options)


ARRAY = b'O:11:"ArrayObject":4:{i:0;i:%d;i:1;%bi:2;a:1:{s:3:"dyn";i:5;}i:3;N;}'
DATE = b's:4:"date";s:26:"2020-01-02 03:04:05.000000";s:13:"timezone_type";i:3;s:8:"timezone";s:3:"UTC";'


@pytest.mark.skipif(bool(php_process.missing()), reason=php_process.missing() or "php is there")
def test_own_classes_are_shown_as_json_encode_shows_them() -> None:
    with php_classes_run.start() as php:
        for name in php_classes_run.classes(php):
            assert php_classes_run.compare(php, name, 1, 100) == []


@pytest.mark.parametrize(
    ("body", "public", "everything"),
    [
        (ARRAY % (0, b'a:1:{s:1:"x";i:1;}'), {"x": 1}, {"x": 1, "dyn": 5}),
        (ARRAY % (0, b"a:1:{i:0;i:1;}"), {"0": 1}, {"0": 1, "dyn": 5}),
        (ARRAY % (1, b'a:1:{s:1:"x";i:1;}'), {"dyn": 5}, {"x": 1, "dyn": 5}),
        (ARRAY % (1 << 24, b"N;"), {"dyn": 5}, {"dyn": 5}),
        (ARRAY % (0, b'a:1:{s:3:"dyn";i:1;}'), {"dyn": 1}, {"dyn": 1, "ArrayObject::dyn": 5}),
        (ARRAY % (0, b'O:1:"A":2:{s:1:"x";i:1;s:4:"\0*\0y";i:2;}'), {"x": 1}, {"storage": {"x": 1, "y": 2}, "dyn": 5}),
        (ARRAY % (0, b'O:8:"DateTime":4:{%bs:1:"d";i:1;}' % DATE), {"d": 1}, None),
        (b'O:13:"ArrayIterator":4:{i:0;i:0;i:1;a:2:{i:0;i:1;i:1;N;}i:2;a:0:{}i:3;N;}', {"0": 1, "1": None}, [1, None]),
        (b'O:13:"SplFixedArray":2:{i:0;i:1;i:1;i:2;}', [1, 2], [1, 2]),
        (b'O:13:"SplFixedArray":2:{i:0;i:1;s:1:"d";i:2;}', [1], {"0": 1, "d": 2}),
        (
            b'O:16:"SplObjectStorage":2:{i:0;a:2:{i:0;O:1:"A":1:{s:4:"\0*\0y";i:2;}i:1;i:7;}i:1;a:1:{s:4:"\0*\0p";i:1;}}',
            {},
            {"0": {"obj": {"y": 2}, "inf": 7}, "p": 1},
        ),
        (b'O:16:"SplObjectStorage":2:{i:0;a:0:{}i:1;a:1:{s:1:"p";i:1;}}', {"p": 1}, {"p": 1}),
        (b'O:8:"SplQueue":3:{i:0;i:4;i:1;a:2:{i:0;i:1;i:1;a:0:{}}i:2;a:0:{}}', {}, [1, []]),
        (
            b'O:8:"DateTime":4:{%bs:1:"d";i:1;}' % DATE,
            {"d": 1, "date": "2020-01-02 03:04:05.000000", "timezone_type": 3, "timezone": "UTC"},
            {"date": "2020-01-02 03:04:05.000000", "timezone_type": 3, "timezone": "UTC", "d": 1},
        ),
        (b'O:12:"DateTimeZone":2:{s:13:"timezone_type";i:1;s:8:"timezone";s:6:"+02:00";}',
         {"timezone_type": 1, "timezone": "+02:00"}, {"timezone_type": 1, "timezone": "+02:00"}),
        # What is not written as the class writes itself is shown like an object of any class.
        (b'O:11:"ArrayObject":1:{s:1:"x";i:1;}', {"x": 1}, {"x": 1}),
        (b'O:11:"ArrayObject":3:{i:0;i:0;i:1;i:5;i:2;a:0:{}}', {"0": 0, "1": 5, "2": []}, {"0": 0, "1": 5, "2": []}),
        (b'O:8:"SplQueue":1:{i:0;i:4;}', {"0": 4}, {"0": 4}),
        (b'O:16:"SplObjectStorage":2:{i:0;a:1:{i:0;i:1;}i:1;a:0:{}}', {}, {"0": [1], "1": []}),
        (b'O:10:"SplMinHeap":0:{}', {}, {}),
        # A child of one of them is but a name.
        (b'O:6:"MyList":2:{i:0;i:0;i:1;a:1:{s:1:"x";i:1;}}', {"0": 0, "1": {"x": 1}}, {"0": 0, "1": {"x": 1}}),
        (b'O:13:"Carbon\\Carbon":3:{%b}' % DATE, None, None),
        (b'O:22:"__PHP_Incomplete_Class":2:{s:27:"__PHP_Incomplete_Class_Name";s:1:"Q";s:1:"a";i:1;}',
         {"__PHP_Incomplete_Class_Name": "Q", "a": 1}, None),
    ],
)  # fmt: skip
def test_what_own_classes_show(body: bytes, public: Any, everything: Any) -> None:
    assert public is None or (shown(body), list(shown(body))) == (public, list(public))
    assert everything is None or (shown(body, "all"), list(shown(body, "all"))) == (everything, list(everything))


def test_an_interval_has_what_php_adds_and_whole_microseconds() -> None:
    names = ("y", "m", "d", "h", "i", "s")
    value = PhpObject("DateInterval", {"weekday": 0, **dict.fromkeys(names, 1), "f": 0.128597, "days": False})
    assert list(project(value, "json", Limits()).items())[-4:] == [
        ("s", 1), ("f", 0.128596), ("days", False), ("from_string", False)
    ]  # fmt: skip
    assert project(value, "json", Limits(), "all")["f"] == 0.128597


def test_an_array_object_of_another_shows_what_that_holds() -> None:
    inner = ARRAY % (1, b'a:1:{s:1:"x";i:1;}')
    assert shown(ARRAY.replace(b"i:5", b"i:6") % (0, inner)) == {"dyn": 6}  # the inner one's flag is taken over
    assert shown(ARRAY % (0, ARRAY % (0, b"a:0:{}"))) == {}
    holder = PhpObject("ArrayObject", [PhpProperty(0, 0), PhpProperty(1, None), PhpProperty(2, [])])
    other = PhpObject("ArrayObject", [PhpProperty(0, 0), PhpProperty(1, holder), PhpProperty(2, [])])
    object.__setattr__(
        holder, "properties", (PhpProperty(0, 0), PhpProperty(1, PhpReference(other)), PhpProperty(2, []))
    )
    for objects in ("public", "all"):
        with pytest.raises(EncodeError, match="contains itself"):
            project(holder, "json", Limits(), objects)
    unknown = PhpObject(
        "ArrayObject", [PhpProperty(0, 0), PhpProperty(1, PhpObject("A", payload=b"")), PhpProperty(2, [])]
    )
    assert project(unknown, "json", Limits())["1"] == PhpObject("A", payload=b"")
    stack = PhpObject("SplStack", [PhpProperty(0, 6), PhpProperty(1, [1]), PhpProperty(2, {"p": 1})])
    for held, public in ((stack, {"p": 1}), (PhpObject("SplStack", {"q": 1}), {"q": 1})):
        around = PhpObject("ArrayIterator", [PhpProperty(0, 0), PhpProperty(1, held), PhpProperty(2, [])])
        assert project(around, "json", Limits()) == public


# ---- all


def test_all_shows_a_collection_and_every_property() -> None:
    collection = b'O:29:"Illuminate\\Support\\Collection":1:{s:8:"\0*\0items";a:2:{s:1:"a";i:1;s:1:"b";a:1:{i:0;i:2;}}}'
    assert shown(collection) == {}
    assert shown(collection, "all") == {"items": {"a": 1, "b": [2]}}
    assert shown(b'O:1:"A":3:{s:1:"x";i:1;i:7;E:3:"S:H";s:4:"\0A\0p";O:1:"B":1:{s:4:"\0*\0q";N;}}', "all") == {
        "x": 1, "7": "H", "p": {"q": None}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("heads", "names"),
    [
        ([("x", "private", "Parent"), ("x", "public", "")], ["Parent::x", "x"]),
        ([("x", "protected", ""), ("x", "private", "App\\Parent")], ["x", "App\\Parent::x"]),
        ([("x", "private", "Parent"), ("x", "private", "Child")], ["Parent::x", "x"]),
        ([("x", "private", "One"), ("x", "private", "Two"), ("y", "private", "One")], ["x", "Two::x", "y"]),
        ([(5, "public", ""), ("5", "private", "Parent")], ["5", "Parent::5"]),
    ],
)
def test_a_name_is_what_the_class_finds_by_it(heads: list[Any], names: list[str]) -> None:
    properties = [PhpProperty(name, number, *head) for number, (name, *head) in enumerate(heads)]
    everything = project(PhpObject("Child", properties), "json", Limits(), "all")
    assert everything == {name: number for number, name in enumerate(names)}


def test_no_property_is_lost_in_silence() -> None:
    for heads in (
        [("x", "public", ""), ("x", "protected", ""), ("A::x", "public", "")],
        [(5, "public", ""), ("A::5", "public", ""), ("5", "public", "")],
    ):
        properties = [PhpProperty(name, 1, *head) for name, *head in heads]  # type: ignore[arg-type]
        with pytest.raises(EncodeError, match="two properties with the same name") as caught:
            project([PhpObject("A", properties[::-1])], "json", Limits(), "all")
        assert (caught.value.path, caught.value.format) == ("$[0]", "json")


@hypothesis.given(value=php_values())
def test_all_has_as_many_members_as_there_are_properties(value: Any) -> None:
    try:
        everything = project(value, "json", Limits(), "all")
    except EncodeError as error:
        assert "two properties" in error.reason
        return
    pairs = [(value, everything)]
    while pairs:
        was, becomes = pairs.pop()
        if isinstance(was, PhpObject):
            assert len(becomes) == len(was.properties)
            pairs += zip([entry.value for entry in was.properties], becomes.values(), strict=True)
        elif isinstance(was, dict):
            pairs += zip(was.values(), becomes.values(), strict=False)
        elif isinstance(was, list):
            pairs += zip(was, becomes, strict=True)
        else:
            assert becomes == (was.case if isinstance(was, PhpEnum) else was) or was != was


@hypothesis.given(value=php_values())
def test_public_is_a_part_of_all(value: Any) -> None:
    public = project(value, "json", Limits())
    if isinstance(value, PhpObject) and len({entry.name for entry in value.properties}) == len(value.properties):
        assert list(public) == [str(entry.name) if isinstance(entry.name, int) else entry.name for entry in value.shown]
        assert public.keys() <= project(value, "json", Limits(), "all").keys()


# ---- losses


def test_the_losses_of_own_classes_are_told_in_their_places() -> None:
    body = b'a:2:{i:0;%bi:1;O:13:"SplFixedArray":1:{i:0;d:1;}}' % (ARRAY % (0, b'a:1:{s:1:"x";d:1;}'))
    with pytest.raises(LossError) as caught:
        envelope.convert(body, "serialize", "json", values="php", target_dialect="php")
    assert [str(loss) for loss in caught.value.losses] == [
        "$[0]: PhpObject ArrayObject → map of 1",
        "$[0].x: float → int",
        "$[1]: PhpObject SplFixedArray → list of 1",
        "$[1][0]: float → int",
    ]


def test_an_enum_is_its_name_and_a_loss() -> None:
    body = b'a:2:{s:2:"id";i:7;s:4:"mode";E:10:"App\\Ex:PROP";}'.replace(b"E:10", b"E:11")
    assert to_json(body) == b'{"id":7,"mode":"PROP"}'
    with pytest.raises(LossError) as caught:
        envelope.convert(body, "serialize", "json", values="php")
    assert [str(loss) for loss in caught.value.losses] == ["$.mode: PhpEnum App\\Ex → str of 4 (the name of the case)"]
    with pytest.warns(LossWarning, match="the name of the case"):
        envelope.convert(body, "serialize", "json", values="php", on_loss="warn")
    assert to_json(body, default=lambda case: case.case.lower()) == b'{"id":7,"mode":"prop"}'
    assert b"PROP" in envelope.convert(body, "serialize", "xml", values="php", on_loss="ignore")
    row, json_row = get_format("serialize"), get_format("json")
    made = Conversion(
        source="serialize", target="json", reading=row.reading("php"), writing=json_row.writing("php"), on_loss="warn"
    ).convert([body])
    assert made.losses == {"PhpEnum → str (the name of the case)": 1}
    assert json.loads(made.bodies[0] or b"") == {"id": 7, "mode": "PROP"}


def test_objects_of_var_export_are_shown_too() -> None:
    bodies = {
        b"\\SplFixedArray::__set_state(array(\n   0 => 1,\n   1 => 2,\n))": b"[1,2]",
        b"\\ArrayObject::__set_state(array(\n   'x' => 1,\n))": b'{"x":1}',
        b"\\Closure::__set_state(array(\n))": b"{}",
    }
    for body, wanted in bodies.items():
        assert envelope.convert(body, "var_export", "json", values="php", on_loss="ignore") == wanted
