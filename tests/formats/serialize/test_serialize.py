"""serialize: each production by example, and each refusal with its kind, offset and path."""

from __future__ import annotations

import math
from typing import Any

import pytest

import envelope
from envelope import DecodeError, EncodeError, Limits, PhpEnum, PhpObject, PhpProperty
from envelope.errors import DecodeErrorKind
from envelope.hints import in_words

pytestmark = pytest.mark.usefixtures("impl")


def loads(data: bytes, **options: Any) -> Any:
    return envelope.loads(data, "serialize", **options)


def php(data: bytes, **options: Any) -> Any:
    return envelope.loads(data, "serialize", values="php", **options)


def dumps(value: object, **options: Any) -> bytes:
    return envelope.dumps(value, "serialize", **options)


def refused(data: bytes, **options: Any) -> tuple[str, int, str]:
    with pytest.raises(DecodeError) as caught:
        envelope.loads(data, "serialize", **options)
    return caught.value.kind, caught.value.offset, caught.value.path


def hint(data: bytes) -> str:
    with pytest.raises(DecodeError) as caught:
        loads(data)
    return in_words(caught.value.hint)


@pytest.mark.parametrize(
    ("value", "body"),
    [
        (None, b"N;"),
        (True, b"b:1;"),
        (False, b"b:0;"),
        (-5, b"i:-5;"),
        (1.0, b"d:1;"),
        (-0.0, b"d:-0;"),
        (1e16, b"d:10000000000000000;"),
        (-1.5e16, b"d:-15000000000000000;"),
        (1e17, b"d:1.0E+17;"),
        (1.5e-7, b"d:1.5E-7;"),
        (0.0001, b"d:0.0001;"),
        ("中", b's:3:"\xe4\xb8\xad";'),
        ([], b"a:0:{}"),
        ({}, b"a:0:{}"),
        (["a", [1]], b'a:2:{i:0;s:1:"a";i:1;a:1:{i:0;i:1;}}'),
        ({"a": 1, "5": 2, "05": 3, "-0": 4}, b'a:4:{s:1:"a";i:1;i:5;i:2;s:2:"05";i:3;s:2:"-0";i:4;}'),
    ],
)
def test_writes_what_php_writes(value: Any, body: bytes) -> None:
    assert dumps(value) == body


def test_writes_maps_that_are_like_lists_as_stdclass_when_asked() -> None:
    assert dumps({"a": {}, "b": {"0": 1}, "c": {"1": 1}}, maps="object") == (
        b'a:3:{s:1:"a";O:8:"stdClass":0:{}s:1:"b";O:8:"stdClass":1:{s:1:"0";i:1;}s:1:"c";a:1:{i:1;i:1;}}'
    )
    assert dumps({0: 1}, maps="object", values="php") == b'O:8:"stdClass":1:{s:1:"0";i:1;}'


def test_many_keys_and_long_lists() -> None:
    value = {"list": list(range(5000)), "map": {f"key {n}": n for n in range(5000)}}
    assert loads(dumps(value)) == value


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"i:+5;", 5),
        (b"i:007;", 7),
        (b"i:-0;", 0),
        (b"i:" + b"0" * 5000 + b"7;", 7),
        (b"i:9223372036854775807;", 2**63 - 1),
        (b"i:-9223372036854775808;", -(2**63)),
        (b"d:.5;", 0.5),
        (b"d:5.;", 5.0),
        (b"d:-1e+22;", -1e22),
        (b'S:3:"a\\6Fb";', "aob"),
        (b'a:1:{S:1:"\\61";i:1;}', {"a": 1}),
        (b'a:2:{i:0;i:1;s:1:"1";i:2;}', [1, 2]),
        (b"a:2:{i:1;i:1;i:0;i:2;}", {"1": 1, "0": 2}),
        (b'a:2:{i:0;i:1;s:1:"x";i:2;}', {"0": 1, "x": 2}),
        (b"a:3:{i:0;i:1;i:1;i:2;i:0;i:3;}", [3, 2]),
        (b'a:2:{s:1:"a";i:1;s:1:"a";i:2;}', {"a": 2}),
        (b'a:2:{s:2:"05";i:1;i:7;i:2;}', {"05": 1, "7": 2}),
        (b'O:8:"stdClass":1:{s:1:"a";i:1;}', {"a": 1}),
        (b'O:8:"STDCLASS":2:{i:0;i:1;s:0:"";i:2;}', {"0": 1, "": 2}),
        (b'O:8:"stdClass":1:{s:1:"0";a:1:{s:1:"0";N;}}', {"0": [None]}),
    ],
)
def test_reads_what_php_takes(body: bytes, value: Any) -> None:
    assert loads(body) == value
    assert type(loads(body)) is type(value)


def test_reads_bytes_like_objects() -> None:
    for data in (bytearray(b"i:5;"), memoryview(b"i:5;"), memoryview(b"xi:5;x")[1:5]):
        assert envelope.loads(data, "serialize") == 5


@pytest.mark.parametrize(
    ("body", "kind", "offset", "path"),
    [
        (b"", "malformed", 0, "$"),
        (b"x", "malformed", 0, "$"),
        (b"N", "malformed", 0, "$"),
        (b"N;x", "malformed", 2, "$"),
        (b"b:2;", "malformed", 0, "$"),
        (b"i:;", "malformed", 2, "$"),
        (b"i:1_0;", "malformed", 2, "$"),
        (b"i: 1;", "malformed", 2, "$"),
        (b"i:12", "malformed", 4, "$"),
        (b"ix1;", "malformed", 1, "$"),
        (b"i:9223372036854775808;", "limit", 2, "$"),
        (b"d:1_0;", "malformed", 2, "$"),
        (b"d:nan;", "malformed", 2, "$"),
        (b"d:1e400;", "limit", 2, "$"),
        (b"d:NAN;", "forbidden", 2, "$"),
        (b"d:-INF;", "forbidden", 2, "$"),
        (b's:2:"a";', "malformed", 7, "$"),
        (b's:0:"a";', "malformed", 5, "$"),
        (b's:03:"abc";', "malformed", 3, "$"),
        (b's:+3:"abc";', "malformed", 2, "$"),
        (b"s:1:'a';", "malformed", 4, "$"),
        (b's:99999999999999999999999:"a";', "malformed", 2, "$"),
        (b's:1:"\xff";', "forbidden", 5, "$"),
        (b'S:1:"\\6";', "malformed", 6, "$"),
        (b'S:2:"ab', "malformed", 7, "$"),
        (b'S:9:"a', "malformed", 2, "$"),
        (b'S:3:"a\\61', "malformed", 9, "$"),
        (b'S:3:"abc\\', "malformed", 8, "$"),
        (b'S:1:"\\ff";', "forbidden", 5, "$"),
        (b"a:-1:{}", "malformed", 1, "$"),
        (b"a:2:{i:0;N;}", "malformed", 2, "$"),
        (b"a:1000000000:{}", "malformed", 2, "$"),
        (b"a:1:{i:0;N;N;}", "malformed", 11, "$"),
        (b"a:1:{N;i:0;}", "malformed", 5, "$"),
        (b"a:1:{d:1;i:0;}", "malformed", 5, "$"),
        (b'a:1:{s:1:"k";a:1:{i:0;x:1;}}', "malformed", 22, "$.k[0]"),
        (b'a:1:{s:1:"k";a:1:{i:7;x:1;}}', "malformed", 22, '$.k["7"]'),
        (b"a:1:{i:0;i:1;", "malformed", 13, "$"),
        (b'O:1:"A":0:{}', "forbidden", 0, "$"),
        (b'O:8:"stdClass":1:{s:4:"\0*\0a";N;}', "forbidden", 18, "$"),
        (b'O:3:"a b":0:{}', "malformed", 5, "$"),
        (b'O:2:"\xff\xfe":0:{}', "forbidden", 5, "$"),
        (b'C:1:"A":1:{x}', "forbidden", 0, "$"),
        (b'E:3:"A:B";', "forbidden", 0, "$"),
        (b"a:1:{i:0;r:1;}", "forbidden", 9, "$[0]"),
        (b"R:1;", "forbidden", 0, "$"),
        (b'o:1:"A":0:{}', "malformed", 0, "$"),
    ],
)
def test_refuses(body: bytes, kind: DecodeErrorKind, offset: int, path: str) -> None:
    assert refused(body) == (kind, offset, path)


@pytest.mark.parametrize(
    ("body", "kind", "offset"),
    [
        (b"a:1:{i:0;R:1;}", "forbidden", 11),
        (b"a:1:{i:0;R:2;}", "malformed", 11),
        (b"a:1:{i:0;r:1;}", "malformed", 11),
        (b"a:1:{i:0;R:0;}", "malformed", 11),
        (b"a:1:{i:0;R:99;}", "malformed", 11),
        (b"a:1:{i:0;R:x;}", "malformed", 11),
        (b"a:2:{i:0;i:5;i:1;r:2;}", "malformed", 19),
        (b"a:2:{i:0;i:5;i:0;R:2;}", "malformed", 19),
        (b'a:3:{i:0;C:1:"A":1:{x}i:1;i:5;i:2;R:3;}', "forbidden", 36),
        (b'E:3:"AxB";', "malformed", 5),
        (b'E:3:"A:B"', "malformed", 9),
        (b'C:1:"A":5:{x}', "malformed", 8),
        (b'C:1:"A":1:{xx', "malformed", 12),
        (b"R:1;", "malformed", 2),
    ],
)
def test_refuses_in_the_domain_of_php(body: bytes, kind: DecodeErrorKind, offset: int) -> None:
    assert refused(body, values="php")[:2] == (kind, offset)


def test_a_wrong_length_says_how_far_off_it_is() -> None:
    assert (
        hint('s:5:"中国人中国";'.encode()) == "10 bytes longer than declared: the length counts characters, not bytes"
    )
    assert (
        hint(b's:9:"abcdef";xyzxyz')
        == "3 bytes shorter than declared: the text was re-encoded or edited after it was serialized"
    )
    assert hint(b's:2:"abcdef') == ""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('s:24:"a{content:"x";color:blue}";', "1 byte longer than declared: the text was re-encoded or edited"),
        ('a:1:{s:4:"name";s:5:"Helló";}', "1 byte longer than declared: Latin-1 text that was converted to UTF-8"),
        ('s:6:"“Hi” €";', "6 bytes longer than declared: Latin-1 text that was converted to UTF-8"),
        ('s:5:"it\ufffds!";', "2 bytes longer than declared: a byte that was not UTF-8 was replaced by U+FFFD, and is lost"),
        ('s:4:"ZoÃ«";', "2 bytes longer than declared: the text was encoded as UTF-8 twice"),
        ('s:5:"â‚¬ 5";', "4 bytes longer than declared: the text was encoded as UTF-8 twice"),
        ('s:10:"l1\nl2\nl3";', "2 bytes shorter than declared: each \\r\\n became \\n after the text was serialized"),
        ('s:8:"l1\r\nl2";', "2 bytes shorter than declared: the text was re-encoded or edited"),
        ('a:2:{i:0;s:1:"abc";i:1;s:1:"x";}', "2 bytes longer than declared: the text was re-encoded or edited"),
        ('a:2:{i:0;s:9:"ab";i:1;N;}', "7 bytes shorter than declared: the text was re-encoded or edited"),
        ('s:2:"a";b";c', "1 byte shorter than declared: the text was re-encoded or edited"),
        ("a:5:{i:0;", "the input was cut, or the count is wrong"),
        ('a:1:{s:44:"', "the input was cut where a NUL was, as text columns of PostgreSQL do"),
    ],
)  # fmt: skip
def test_a_hint_names_the_cause(body: str, words: str) -> None:
    assert hint(body.encode()).startswith(words)


def test_a_string_of_other_bytes_has_only_its_length() -> None:
    with pytest.raises(DecodeError) as caught:
        php(b's:1:"\xff\xfe";')
    assert in_words(caught.value.hint).startswith("1 byte longer than declared: the text was re-encoded")


def test_a_cut_count_is_recognised() -> None:
    assert hint(b'a:2:{s:232:"%b";a:99999:{' % (b"x" * 232)) == "exactly 255 bytes: cut by a TINYTEXT column"


def test_the_length_of_a_column_is_recognised() -> None:
    body = b's:70000:"' + b"x" * 70_000
    assert hint(body[:65_535]) == "exactly 65535 bytes: cut by a TEXT column"


def test_the_domain_of_php() -> None:
    assert math.isnan(php(b"d:NAN;"))
    assert php(b"d:-INF;") == -math.inf
    assert php(b's:1:"\xff";') == b"\xff"
    assert php(b'a:2:{s:1:"\xff";i:1;i:-5;i:2;}') == {b"\xff": 1, -5: 2}
    assert php(b'S:1:"\\ff";') == b"\xff"
    assert php(b'O:8:"stdclass":1:{i:5;i:1;}') == PhpObject("stdClass", {"5": 1})
    assert php(b'O:1:"A":2:{i:5;i:1;s:1:"k";N;}').properties == (PhpProperty(5, 1), PhpProperty("k", None))
    assert php(b'C:3:"A\\B":3:{a}b}') == PhpObject("A\\B", payload=b"a}b")
    assert php(b'E:11:"Suit:Hearts";') == PhpEnum("Suit", "Hearts")


def test_visibility_is_read_and_written() -> None:
    body = b'O:1:"Q":4:{s:4:"\0P\0x";i:1;s:4:"\0*\0y";i:2;s:4:"\0Q\0x";i:9;s:1:"\xff";d:1;}'
    value = php(body)
    assert value.properties == (
        PhpProperty("x", 1, "private", "P"),
        PhpProperty("y", 2, "protected"),
        PhpProperty("x", 9, "private", "Q"),
        PhpProperty(b"\xff", 1.0),
    )
    assert (value["x"], value["y"], value.get("z", 7)) == (1, 2, 7)
    assert dumps(value, values="php") == body


def test_names_that_only_look_mangled_stay_as_they_are() -> None:
    for name in (b"\0", b"\0\0a", b"\0*\0", b"\0a"):
        body = b'O:8:"stdClass":1:{s:%d:"%s";i:1;}' % (len(name), name)
        assert php(body).properties == (PhpProperty(name.decode(), 1),)
        assert dumps(php(body), values="php") == body


def test_a_shared_object_is_one_object() -> None:
    body = b'a:3:{i:0;O:1:"A":1:{s:1:"v";i:1;}i:1;r:2;i:2;R:2;}'
    value = php(body)
    assert value[0] is value[1] is value[2]
    assert dumps(value, values="php") == body.replace(b"R:2", b"r:2")


def test_cycles_of_objects() -> None:
    body = b'O:1:"A":2:{s:4:"self";r:1;s:4:"list";a:1:{i:0;r:1;}}'
    value = php(body)
    assert value["self"] is value
    assert value["list"][0] is value
    assert dumps(value, values="php") == body
    assert value == php(body)
    assert "self" in repr(value)


def test_a_value_reference_stands_for_the_value_of_the_place() -> None:
    assert php(b"a:3:{i:0;i:1;i:0;i:2;i:1;R:2;}") == [2, 2]
    assert php(b"a:3:{i:0;i:1;i:1;R:2;i:0;i:2;}") == [2, 1]
    assert php(b'a:4:{i:0;O:8:"stdClass":0:{}i:1;r:2;i:2;i:7;i:3;R:4;}')[2:] == [7, 7]


def test_references_to_arrays_count_again_so_they_cannot_multiply() -> None:
    # Each level holds the one before twice: 2^40 values in 1 KB.
    parts = [b"a:41:{i:0;a:1:{i:0;i:1;}"]
    slot = 2
    for level in range(1, 41):
        parts.append(b"i:%d;a:2:{i:0;R:%d;i:1;R:%d;}" % (level, slot, slot))
        slot += 2 if level == 1 else 1
    assert refused(b"".join(parts) + b"}", values="php")[0] == "limit"


def test_references_to_arrays_cannot_nest_past_the_depth() -> None:
    deep = b"a:1:{i:0;" * 100 + b"N;" + b"}" * 100
    body = b"a:2:{i:0;" + deep + b"i:1;" + b"a:1:{i:0;" * 120 + b"R:2;" + b"}" * 120 + b"}"
    assert refused(body, values="php")[0] == "limit"
    assert php(body, limits=Limits(max_depth=250))[1] is not None


def test_an_object_shared_after_a_payload_is_refused() -> None:
    shared = PhpObject("A")
    with pytest.raises(EncodeError, match="payload"):
        dumps([PhpObject("B", payload=b""), shared, shared], values="php")
    assert dumps([shared, PhpObject("B", payload=b""), shared], values="php").endswith(b"i:2;r:2;}")


def test_bytes_are_written_as_strings() -> None:
    assert dumps([b"\xff", b"5"], values="php") == b'a:2:{i:0;s:1:"\xff";i:1;s:1:"5";}'
    assert dumps({b"5": 1, b"\xff": 2, "a": 3}, values="php") == b'a:3:{i:5;i:1;s:1:"\xff";i:2;s:1:"a";i:3;}'


@pytest.mark.parametrize("names", [("a", "a"), ("0", 0), ("a", b"a")])
def test_two_properties_of_one_name_are_refused(names: tuple[Any, Any]) -> None:
    with pytest.raises(EncodeError, match="the same name") as caught:
        dumps([PhpObject("A", [PhpProperty(name, 1) for name in names])], values="php")
    assert caught.value.path == "$[0]"


def test_a_private_property_of_a_class_that_is_not_text_is_unchanged() -> None:
    body = b'O:1:"A":1:{s:4:"\0\xff\0a";i:1;}'
    assert dumps(php(body), values="php") == body


def test_a_name_that_only_looks_mangled_is_lost() -> None:
    value = PhpObject("A", [PhpProperty("\0B\0a", 1)])
    assert [loss.path for loss in envelope.losses(value, "serialize", values="php")] == ["$"]


@pytest.mark.parametrize("value", [{5: 1, "5": 2}, {"a": 1, b"a": 2}, {b"5": 1, 5: 2}, {2**63: 1}, {(): 1}])
def test_keys_that_php_cannot_tell_apart_or_hold_are_refused(php_fmt: str, value: Any) -> None:
    with pytest.raises(EncodeError) as caught:
        envelope.dumps([value], php_fmt, values="php")
    assert caught.value.path == "$[0]"


def test_a_repeated_enum_is_a_reference_as_in_php() -> None:
    case = PhpEnum("Suit", "H", "h")
    assert dumps([case, case], values="php") == b'a:2:{i:0;E:6:"Suit:H";i:1;r:2;}'


def test_limits() -> None:
    assert refused(b"a:1:{i:0;a:0:{}}", limits=Limits(max_depth=1)) == ("limit", 9, "$[0]")
    assert refused(b"a:2:{i:0;N;i:1;N;}", limits=Limits(max_items=1))[0] == "limit"
    assert refused(b"i:1000;", limits=Limits(max_bytes=6)) == ("limit", 6, "$")
    assert loads(b"a:1:{i:0;N;}", limits=Limits(max_depth=1, max_items=1, max_bytes=12)) == [None]


def test_only_the_limit_bounds_depth() -> None:
    deep = b"a:1:{i:0;" * 50_000 + b"N;" + b"}" * 50_000
    assert refused(deep)[0] == "limit"
    value = loads(deep, limits=Limits.unlimited())
    assert dumps(value, limits=Limits.unlimited()) == deep
    while value:  # a list this deep would overflow the stack as it is freed at once
        value = value.pop()
