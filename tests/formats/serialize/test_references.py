"""`R:`, kept: read as references, and written as they were read."""

from __future__ import annotations

from functools import partial

import pytest

import envelope
from envelope import DecodeError, EncodeError, Limits, PhpEnum, PhpObject, PhpProperty, PhpReference, same
from envelope.conversion import project
from envelope.testing.php import Php
from tests.formats.serialize.php_references_run import compare

pytestmark = pytest.mark.usefixtures("impl")

keep = partial(envelope.loads, format="serialize", values="php", references="keep")
write = partial(envelope.dumps, format="serialize", values="php")

A = b'O:1:"A":0:{}'

KEPT = [
    b"a:2:{i:0;i:5;i:1;R:2;}",
    b'a:3:{i:0;s:1:"a";i:1;R:2;i:2;R:2;}',
    b"a:2:{i:0;a:1:{i:0;i:1;}i:1;R:2;}",
    b"a:2:{i:0;a:1:{i:0;i:1;}i:1;R:3;}",
    b'a:2:{s:1:"a";a:2:{i:5;N;i:6;R:3;}s:1:"b";R:3;}',
    b"a:2:{i:0;" + A + b"i:1;R:2;}",
    b"a:3:{i:0;" + A + b"i:1;r:2;i:2;R:2;}",
    b"a:5:{i:0;" + A + b"i:1;r:2;i:2;i:7;i:3;R:4;i:4;r:2;}",
    b'a:1:{s:1:"x";a:1:{s:1:"x";R:2;}}',
    b'O:1:"A":1:{s:1:"x";R:1;}',
    b"a:1:{i:0;R:1;}",
    b'O:1:"A":2:{s:4:"\0*\0v";i:1;s:4:"\0A\0r";R:2;}',
    b'a:2:{i:0;O:1:"A":2:{s:1:"v";i:1;s:4:"\0*\0w";i:2;}i:1;a:2:{i:0;R:4;i:1;R:3;}}',
    b'O:1:"M":2:{s:1:"k";i:1;i:0;R:2;}',
    b'a:2:{i:0;E:3:"S:H";i:1;R:2;}',
    b'a:3:{i:0;i:1;i:1;C:1:"A":1:{x}i:2;R:2;}',
    b"a:3:{i:0;a:2:{i:0;i:1;i:1;a:1:{i:0;R:2;}}i:1;R:4;i:2;R:1;}",
]


@pytest.mark.parametrize("body", KEPT)
def test_the_bytes_are_kept(body: bytes) -> None:
    value = keep(body)
    assert write(value) == body
    assert same(value, keep(body))
    assert envelope.losses(value, "serialize", values="php") == []
    assert envelope.convert(body, "serialize", "serialize", values="php", references="keep") == body


def test_all_places_of_a_reference_hold_one_box() -> None:
    first, second, other = keep(b"a:3:{i:0;i:5;i:1;R:2;i:2;i:5;}")
    assert first is second
    assert (first.value, other) == (5, 5)
    first.value = "new"
    assert write([first, second]) == b'a:2:{i:0;s:3:"new";i:1;R:2;}'


def test_an_object_is_in_its_box_and_by_itself() -> None:
    first, second, third = keep(b"a:3:{i:0;" + A + b"i:1;R:2;i:2;r:2;}")
    assert first is second
    assert first.value is third
    # As in PHP: what refers to an object is that object, wherever it was met.
    assert write([third, PhpReference(third), third]) == b"a:3:{i:0;" + A + b"i:1;R:2;i:2;r:2;}"


def test_references_into_complete_and_into_open_containers() -> None:
    value = keep(b'a:3:{i:0;O:1:"A":1:{s:1:"v";i:1;}i:1;a:2:{i:7;i:2;i:8;R:3;}i:2;R:5;}')
    assert value[0]["v"] is value[1][8]
    assert value[1][7] is value[2]
    inner = keep(b'a:1:{i:0;O:1:"A":2:{s:1:"a";i:1;s:1:"b";a:1:{i:0;R:3;}}}')[0]
    assert inner["a"] is inner["b"][0]


def test_without_the_option_references_are_what_they_refer_to() -> None:
    read = partial(envelope.loads, format="serialize", values="php")
    assert read(KEPT[0]) == [5, 5]
    with pytest.raises(DecodeError, match="an array that contains itself") as caught:
        read(b"a:1:{i:0;R:1;}")
    assert (caught.value.kind, caught.value.hint and caught.value.hint.name) == ("forbidden", "keep-references")


@pytest.mark.parametrize(
    ("body", "offset"),
    [
        (b"R:1;", 2), (b"a:1:{i:0;R:2;}", 11), (b"a:1:{i:0;R:0;}", 11), (b"a:2:{i:0;R:3;i:1;i:1;}", 11),
        (b"a:2:{i:0;i:5;i:0;R:2;}", 19), (b"a:2:{i:0;i:5;i:1;r:2;}", 19), (b"a:3:{i:0;i:1;i:1;R:2;i:2;r:2;}", 27),
        (b"a:3:{i:0;i:1;i:1;R:2;i:2;R:3;}", 27),
    ],
)  # fmt: skip
def test_references_to_nothing_are_refused(body: bytes, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        keep(body)
    assert (caught.value.kind, caught.value.offset) == ("malformed", offset)


def test_references_past_a_payload_are_refused_both_ways() -> None:
    with pytest.raises(DecodeError) as caught:
        keep(b'a:3:{i:0;C:1:"A":1:{x}i:1;i:5;i:2;R:3;}')
    assert caught.value.kind == "forbidden"
    box = PhpReference(5)
    with pytest.raises(EncodeError, match="shared after a C: payload"):
        write([PhpObject("A", payload=b"x"), box, box])


def test_limits_do_not_count_references() -> None:
    body = b"a:2:{i:0;a:1:{i:0;a:0:{}}i:1;R:2;}"
    limits = Limits(max_depth=3, max_items=3)
    assert write(keep(body, limits=limits), limits=limits) == body
    for less in (Limits(max_depth=2), Limits(max_items=2)):
        with pytest.raises(DecodeError):
            keep(body, limits=less)
        with pytest.raises(EncodeError):
            write(keep(body), limits=less)
    boxes = [PhpReference("a" * 50)] * 1000
    with pytest.raises(EncodeError, match="longer than 100 bytes"):
        write(boxes, limits=Limits(max_bytes=100))


def test_many_references_are_packed_with_the_right_slots() -> None:
    box = PhpReference("a")
    value = [box] * 40_000 + [PhpReference(1)] * 2
    body = write(value)
    assert body.endswith(b"i:40000;i:1;i:40001;R:3;}")
    assert same(keep(body), value)


def test_sessions_share_references() -> None:
    body = b'a|i:5;b|R:1;c|O:1:"A":1:{s:1:"v";i:1;}d|R:3;'
    value = keep(body, dialect="session")
    assert value["a"] is value["b"]
    assert value["c"]["v"] is value["d"]
    assert write(value, dialect="session") == body
    with pytest.raises(EncodeError, match="a session is a map"):
        write(PhpReference({}), dialect="session")


def test_other_formats_write_what_is_referred_to() -> None:
    box = PhpReference({"k": PhpEnum("S", "H", "h")})
    assert envelope.dumps([box, box], "var_export", values="php") == envelope.dumps(
        [box.value, box.value], "var_export", values="php"
    )
    assert project([box, box, PhpReference(1)], "json", Limits()) == [{"k": "h"}, {"k": "h"}, 1]
    assert project(PhpReference([]), "json", Limits()) == []
    payload = PhpObject("A", payload=b"x")
    assert project([payload, payload], "json", Limits()) == [payload, payload]


def test_an_array_in_itself_is_an_error_where_there_are_no_references() -> None:
    value = keep(b'a:1:{s:1:"x";a:1:{s:1:"x";R:2;}}')
    with pytest.raises(EncodeError, match=r"at \$\.x\.x: the map contains itself"):
        envelope.dumps(value, "var_export", values="php")
    for body in (b'a:1:{s:1:"x";a:1:{s:1:"x";R:2;}}', b"a:1:{i:0;R:1;}"):
        for target in ("json", "xml"):
            with pytest.raises(EncodeError, match="an array that contains itself"):
                envelope.convert(body, "serialize", target, values="php", references="keep")


@pytest.mark.parametrize("format", list(envelope.ResultType))
def test_the_portable_domain_has_no_references(format: str) -> None:
    with pytest.raises(EncodeError) as caught:
        envelope.dumps({"a": PhpReference(1)}, format)
    assert (caught.value.path, caught.value.hint and caught.value.hint.name) == ("$.a", "php-formats")
    with pytest.raises(DecodeError, match="a reference"):
        envelope.loads(KEPT[0], "serialize")


def test_default_is_applied_in_references_and_sharing_stays() -> None:
    user = PhpObject("A", [PhpProperty("v", 1j)])
    box, scalar, itself = PhpReference([user, 1j]), PhpReference(2j), PhpReference(None)
    itself.value = [itself]
    value = [box, box, scalar, scalar, user, itself]
    plain = b'a:6:{i:0;a:2:{i:0;O:1:"A":1:{s:1:"v";s:2:"1j";}i:1;s:2:"1j";}i:1;R:2;i:2;s:2:"2j";i:3;R:6;i:4;r:3;i:5;a:1:{i:0;R:8;}}'
    assert write(value, default=str) == plain
    assert box.value[1] == 1j
    assert write([3j], default=lambda _: box.value[0].class_name) == b'a:1:{i:0;s:1:"A";}'
    assert write([3j, 4j], default=lambda _: scalar_of) == b"a:2:{i:0;i:1;i:1;R:2;}"
    with pytest.raises(EncodeError, match="list contains itself"):
        envelope.dumps([*value[2:4], itself], "var_export", values="php", default=str)
    with pytest.raises(EncodeError) as caught:
        write({"a": PhpReference([{}, 1j])})
    assert caught.value.path == "$.a[1]"


scalar_of = PhpReference(1)


def test_objects_of_phpserialize_in_references() -> None:
    phpserialize = pytest.importorskip("phpserialize")
    box = PhpReference(phpserialize.phpobject("A", {"b": 1}))
    body = write([box, box])
    assert body == b'a:2:{i:0;O:1:"A":1:{s:1:"b";i:1;}i:1;R:2;}'
    assert envelope.from_phpserialize([box, box])[0] == PhpObject("A", {"b": 1})


@pytest.mark.php
def test_what_php_writes_is_kept(php: Php) -> None:
    referring, differences = compare(php, seed=1, count=1500)
    assert differences == []
    assert referring > 500


def test_only_serialize_in_the_domain_of_php_keeps_references() -> None:
    for format, values in (("serialize", "portable"), ("var_export", "php"), ("json", "php")):
        with pytest.raises(TypeError, match="is for serialize"):
            envelope.loads(b"1", format, values=values, references="keep")  # type: ignore[arg-type]
