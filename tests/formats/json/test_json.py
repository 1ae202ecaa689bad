"""json and jsonu: spelling, what orjson would let pass, and where a document is at fault."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import DecodeError, EncodeError, Limits
from envelope.errors import DecodeErrorKind
from envelope.formats.json.scan import JsonScanner
from envelope.options import ENCODE_FLAGS, EncodeFlag, Flag
from envelope.testing.php import Php
from envelope.testing.strategies import values
from tests.formats.json import php_flags_run

pytestmark = pytest.mark.usefixtures("impl")


def loads(data: bytes, **options: Any) -> Any:
    return envelope.loads(data, "json", **options)


def refused(data: bytes, **options: Any) -> tuple[str, int, str]:
    with pytest.raises(DecodeError) as caught:
        loads(data, **options)
    return caught.value.kind, caught.value.offset, caught.value.path


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, b"1.0"),
        (-0.0, b"-0.0"),
        (0.1, b"0.1"),
        (1e15, b"1000000000000000.0"),
        (1e16, b"1e+16"),
        (1e25, b"1e+25"),
        (1e-5, b"0.00001"),
        (1e-7, b"1e-7"),
        (5e-324, b"5e-324"),
        (1.7976931348623157e308, b"1.7976931348623157e+308"),
    ],
)
def test_floats_keep_their_spelling(number: float, text: bytes) -> None:
    """Documents are compared byte for byte, so a new spelling in orjson must be noticed."""
    assert envelope.dumps(number, "json") == text


def test_ascii_and_utf8() -> None:
    value = "中/😀\x7f\u2028\x01\n"
    assert envelope.dumps(value, "json") == b'"\\u4e2d/\\ud83d\\ude00\x7f\\u2028\\u0001\\n"'
    assert envelope.dumps(value, "jsonu") == '"中/😀\x7f\u2028\\u0001\\n"'.encode()


def test_the_php_dialect() -> None:
    value = {"a/b": [1.0, 1e25, -0.0, 0.1, 1e-7], "e": {}, "l": {"0": "中\u2028"}, "n": {"x": [None, True, 5]}}
    assert envelope.dumps(value, "json", dialect="php") == (
        b'{"a\\/b":[1,1.0e+25,-0,0.1,1.0e-7],"e":[],"l":["\\u4e2d\\u2028"],"n":{"x":[null,true,5]}}'
    )
    assert envelope.dumps(value, "jsonu", dialect="php", maps="object") == (
        '{"a\\/b":[1,1.0e+25,-0,0.1,1.0e-7],"e":{},"l":{"0":"中\\u2028"},"n":{"x":[null,true,5]}}'.encode()
    )
    assert envelope.dumps(1.0, "json", dialect="php") == b"1"


def test_json_and_jsonu_read_each_other() -> None:
    for fmt in ("json", "jsonu"):
        assert envelope.loads(envelope.dumps("中", fmt), "jsonu" if fmt == "json" else "json") == "中"


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], 2**63, -(2**63) - 1, (1,), {1: 2}, "\ud800"])
def test_what_orjson_would_change_or_take_is_refused(value: Any) -> None:
    with pytest.raises(EncodeError):
        envelope.dumps(value, "json")


@pytest.mark.parametrize(
    ("data", "kind", "offset", "path"),
    [
        (b"", "malformed", 0, "$"),
        (b"  ", "malformed", 2, "$"),
        (b"[1,]", "malformed", 3, "$[1]"),
        (b"[,1]", "malformed", 1, "$[0]"),
        (b"[1 2]", "malformed", 3, "$[0]"),
        (b"[1", "malformed", 2, "$[0]"),
        (b"[1}", "malformed", 2, "$[0]"),
        (b'{"a":1]', "malformed", 6, "$.a"),
        (b'{"a" 1}', "malformed", 5, "$.a"),
        (b'{"a":1,}', "malformed", 7, "$"),
        (b'{"a":1 "b":2}', "malformed", 7, "$.a"),
        (b'{"a":[1,{"b":tru}]}', "malformed", 13, "$.a[1].b"),
        (b'{"a":{},"b":[],"c":x}', "malformed", 19, "$.c"),
        (b"{1:2}", "malformed", 1, "$"),
        (b"[] x", "malformed", 3, "$"),
        (b"1 2", "malformed", 2, "$"),
        (b"01", "malformed", 1, "$"),
        (b"-", "malformed", 0, "$"),
        (b"1.", "malformed", 1, "$"),
        (b"NaN", "malformed", 0, "$"),
        (b"Infinity", "malformed", 0, "$"),
        (b"True", "malformed", 0, "$"),
        (b"'a'", "malformed", 0, "$"),
        (b"\xef\xbb\xbf1", "malformed", 0, "$"),
        (b"\xff\xfe1\0", "malformed", 0, "$"),
        (b'"abc', "malformed", 4, "$"),
        (b'"a\nb"', "malformed", 2, "$"),
        (b'"a\\x"', "malformed", 2, "$"),
        (b'"a\\', "malformed", 3, "$"),
        (b'"\\u12G4"', "malformed", 1, "$"),
        (b'"\xff"', "malformed", 1, "$"),
        (b'["a","\xed\xa0\x80"]', "malformed", 6, "$[1]"),
        (b'"\\ud800"', "malformed", 1, "$"),
        (b'"\\udc00\\ud800"', "malformed", 1, "$"),
        (b'"\\ud800\\u0041"', "malformed", 1, "$"),
        (b'"\\ud800x\\udc00"', "malformed", 1, "$"),
        (b'"\\ud83d\\ude00\\udfff"', "malformed", 13, "$"),
        (b"[18446744073709551616]", "limit", 1, "$[0]"),
        (b"9223372036854775808", "limit", 0, "$"),
        (b"-9223372036854775809", "limit", 0, "$"),
        (b"1" * 5000, "limit", 0, "$"),
        (b"[1e400]", "limit", 1, "$[0]"),
        (b"[" * 201 + b"]" * 201, "limit", 200, "$[0][0][0][0][0][0][0][0]…[0][0][0][0][0][0][0][0]"),
        (b'{"a":' * 201 + b"1" + b"}" * 201, "limit", 1000, "$.a.a.a.a.a.a.a.a….a.a.a.a.a.a.a.a"),
    ],
)
def test_refuses(data: bytes, kind: DecodeErrorKind, offset: int, path: str) -> None:
    assert refused(data) == (kind, offset, path)


def test_large_numbers_are_read_if_they_are_exact() -> None:
    assert loads(b"[9223372036854775807,-9223372036854775808,1e19,-9223372036854775809.0]") == [
        2**63 - 1, -(2**63), 1e19, -(2.0**63)
    ]  # fmt: skip


def test_surrogates_in_pairs_are_read() -> None:
    assert loads(b'["\\ud83d\\ude00\\n","\\u0041",18446744073709551616.0]') == ["😀\n", "A", 2.0**64]


def test_limits() -> None:
    assert refused(b"[[1]]", limits=Limits(max_depth=1)) == ("limit", 1, "$[0]")
    assert refused(b"[1,2,3]", limits=Limits(max_items=2)) == ("limit", 5, "$[2]")
    assert refused(b"[1]", limits=Limits(max_bytes=2)) == ("limit", 2, "$")
    # Commas inside strings are not items, whatever the quick count says.
    assert loads(b'[",,,,,,,,"]', limits=Limits(max_items=1)) == [",,,,,,,,"]


def test_the_bound_holds_for_what_escapes_add() -> None:
    limits = Limits(max_bytes=400)
    assert len(envelope.dumps("中" * 100, "jsonu", limits=limits)) == 302
    with pytest.raises(EncodeError, match="longer than 400 bytes"):
        envelope.dumps("中" * 100, "json", limits=limits)


def test_many_small_containers_are_counted_before_they_are_made() -> None:
    assert refused(b"[" + b"[]," * 300_000 + b"[]]", limits=Limits(max_items=200_000))[0] == "limit"


def test_what_orjson_cannot_do_without_limits_is_a_limit() -> None:
    deep = b"[" * 1025 + b"]" * 1025
    assert refused(deep, limits=Limits.unlimited())[:2] == ("limit", 1024)
    value = loads(b"[" * 255 + b"]" * 255, limits=Limits.unlimited())
    for fmt in ("json", "jsonu"):
        with pytest.raises(EncodeError, match="254") as caught:
            envelope.dumps(value, fmt, limits=Limits.unlimited())
        assert caught.value.kind == "limit"


@given(data=st.binary(max_size=30) | st.text(max_size=20).map(str.encode) | values(max_leaves=5).map(orjson.dumps))
def test_the_scanner_and_orjson_agree(data: bytes) -> None:
    scanner = JsonScanner(data, "json", Limits())
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        with pytest.raises(DecodeError):
            scanner.scan()
    else:
        scanner.scan()


@given(value=values(max_leaves=8))
def test_the_scanner_accepts_all_that_json_writes(value: Any) -> None:
    body = json.dumps(value, indent=1, allow_nan=False).encode()
    JsonScanner(body, "json", Limits()).scan()
    assert envelope.same(loads(body), value)


def test_what_only_orjson_refuses_is_still_our_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JsonScanner, "scan", lambda self: None)
    with pytest.raises(DecodeError, match="orjson"):
        loads(b"[1,]")


def php_json(value: Any, *flags: EncodeFlag, format: str = "json", **options: Any) -> str:
    return envelope.dumps(value, format, dialect="php", flags=flags, **options).decode()


@pytest.mark.parametrize(
    ("value", "flags", "text"),
    [
        ("a/b", ["JSON_UNESCAPED_SLASHES"], '"a/b"'),
        ("é\u2028", ["JSON_UNESCAPED_UNICODE"], '"é\\u2028"'),
        ("é\u2028", ["JSON_UNESCAPED_UNICODE", "JSON_UNESCAPED_LINE_TERMINATORS"], '"é\u2028"'),
        ("é\u2028", ["JSON_UNESCAPED_LINE_TERMINATORS"], '"\\u00e9\\u2028"'),
        ([1.0, -0.0, 1e25, 0.1, 1], ["JSON_PRESERVE_ZERO_FRACTION"], "[1.0,-0.0,1.0e+25,0.1,1]"),
        ({"<&>": "</a>"}, ["JSON_HEX_TAG"], '{"\\u003C&\\u003E":"\\u003C\\/a\\u003E"}'),
        ("a&'b", ["JSON_HEX_AMP"], '"a\\u0026\'b"'),
        ("a&'b", ["JSON_HEX_APOS"], '"a&\\u0027b"'),
        ('"\\"\\\\"\0', ["JSON_HEX_QUOT"], '"\\u0022\\\\\\u0022\\\\\\\\\\u0022\\u0000"'),
        ([[], {"0": [1.5]}, {}], ["JSON_FORCE_OBJECT"], '{"0":{},"1":{"0":{"0":1.5}},"2":{}}'),
        (
            {"a": [[], {}, [1]], "b": {"c": "\n  x"}},
            ["JSON_PRETTY_PRINT"],
            (
                '{\n    "a": [\n        [],\n        [],\n        [\n            1\n        ]\n    ],\n'
                '    "b": {\n        "c": "\\n  x"\n    }\n}'
            ),
        ),
    ],
)
def test_flags_are_those_of_json_encode(value: Any, flags: list[EncodeFlag], text: str) -> None:
    assert php_json(value, *flags) == text


def test_jsonu_has_one_flag_more() -> None:
    assert php_json("é/", "JSON_UNESCAPED_SLASHES", format="jsonu") == '"é/"'
    assert php_json("é/", "JSON_UNESCAPED_SLASHES", "JSON_UNESCAPED_UNICODE") == '"é/"'
    assert php_json("é/", format="jsonu") == '"é\\/"'


def test_a_forced_object_goes_with_both_ways_of_maps() -> None:
    for maps in ("array", "object"):
        assert php_json([[{"0": 1}], {}], "JSON_FORCE_OBJECT", maps=maps) == '{"0":{"0":{"0":1}},"1":{}}'
    assert php_json([[], {}], "JSON_PRETTY_PRINT", maps="object") == "[\n    [],\n    {}\n]"


@given(value=values(max_leaves=8), flags=st.lists(st.sampled_from(ENCODE_FLAGS)), jsonu=st.booleans())
def test_flags_lose_what_losses_says(value: Any, flags: list[EncodeFlag], jsonu: bool) -> None:
    fmt = "jsonu" if jsonu else "json"
    body = envelope.dumps(value, fmt, dialect="php", maps="object", flags=flags)
    lost = envelope.losses(value, fmt, dialect="php", maps="object", flags=flags)
    assert envelope.same(loads(body), value) == (not lost)
    converted = envelope.convert(
        envelope.dumps(value, fmt), fmt, fmt, target_dialect="php", maps="object", flags=flags, on_loss="ignore"
    )
    assert converted == body


def test_flags_reach_what_is_projected() -> None:
    archive = b'O:1:"A":1:{s:1:"u";s:3:"a/b";}'
    flags: list[EncodeFlag] = ["JSON_UNESCAPED_SLASHES"]
    options: dict[str, Any] = {"values": "php", "target_dialect": "php", "flags": flags}
    assert envelope.convert(archive, "serialize", "json", on_loss="ignore", **options) == b'{"u":"a/b"}'
    with pytest.raises(envelope.LossError, match="A"):
        envelope.convert(archive, "serialize", "json", **options)


def test_convert_tells_the_flags_of_reading_from_those_of_writing() -> None:
    flags: list[Flag] = ["JSON_UNESCAPED_SLASHES", "JSON_BIGINT_AS_STRING"]
    body = b'["a/b",9223372036854775808]'
    assert envelope.convert(body, "json", "json", target_dialect="php", flags=flags) == b'["a/b","9223372036854775808"]'
    assert envelope.convert(body, "json", "jsonu", flags=["JSON_BIGINT_AS_STRING"]) == b'["a/b","9223372036854775808"]'
    with pytest.raises(TypeError, match="flags= is for json"):
        envelope.convert(body, "json", "serialize", flags=flags)
    with pytest.raises(TypeError, match="flags= is for json"):
        envelope.convert(b"N;", "serialize", "json", target_dialect="php", flags=flags)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (320, "a collection of PHP's names, not a number: 320 is 'JSON_UNESCAPED_SLASHES', 'JSON_UNESCAPED_UNICODE'$"),
        (0, "not a number$"),
        (4194304 | 256, "not a number$"),
        ("JSON_HEX_TAG", r"as in \('JSON_UNESCAPED_SLASHES', 'JSON_UNESCAPED_UNICODE'\)"),
        (["JSON_PARTIAL_OUTPUT_ON_ERROR"], "would write null for what cannot be written; default= says"),
        (["JSON_NUMERIC_CHECK"], "not 'JSON_NUMERIC_CHECK'"),
        (["JSON_THROW_ON_ERROR"], "not 'JSON_THROW_ON_ERROR'"),
        (["JSON_INVALID_UTF8_SUBSTITUTE"], "not 'JSON_INVALID_UTF8_SUBSTITUTE'"),
        ([320], "not 320"),
        (None, "a collection of PHP's names, not NoneType$"),
        (iter(["JSON_HEX_TAG"]), "a collection of PHP's names, not list_iterator$"),
    ],
)
def test_other_flags_are_refused(flags: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        envelope.dumps([], "json", dialect="php", flags=flags)
    with pytest.raises(TypeError, match=message):
        envelope.convert(b"[]", "json", "json", target_dialect="php", flags=flags)


def test_the_numbers_are_named_by_direction() -> None:
    number: Any = 2
    with pytest.raises(TypeError, match=r"2 is 'JSON_BIGINT_AS_STRING'$"):
        loads(b"[]", flags=number)
    with pytest.raises(TypeError, match=r"2 is 'JSON_HEX_AMP'$"):
        envelope.dumps([], "json", dialect="php", flags=number)
    with pytest.raises(TypeError, match="not 'JSON_BIGINT_AS_STRING'"):
        envelope.dumps([], "json", dialect="php", flags=["JSON_BIGINT_AS_STRING"])


def test_what_flags_add_is_within_the_limit() -> None:
    limits = Limits(max_bytes=400)
    nested: Any = []
    for _ in range(100):
        nested = [nested]
    unwritable: list[tuple[Any, EncodeFlag]] = [
        (nested, "JSON_PRETTY_PRINT"), ("<" * 100, "JSON_HEX_TAG"), ("é" * 100, "JSON_UNESCAPED_SLASHES"),
        ([0] * 90, "JSON_FORCE_OBJECT"), ('"' * 200, "JSON_HEX_TAG"),
    ]  # fmt: skip
    for value, flag in unwritable:
        with pytest.raises(EncodeError, match="longer than 400 bytes"):
            php_json(value, flag, limits=limits)
    with pytest.raises(EncodeError, match="lone surrogate") as caught:
        php_json("\ud800", "JSON_UNESCAPED_UNICODE")
    assert caught.value.format == "json"


BIG: dict[str, Any] = {"flags": ["JSON_BIGINT_AS_STRING"]}


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"id":1234567890123456789012,"n":1}', {"id": "1234567890123456789012", "n": 1}),
        (b" 9223372036854775808 ", "9223372036854775808"),
        (b"[-9223372036854775809, 18446744073709551616]", ["-9223372036854775809", "18446744073709551616"]),
        (b"[9223372036854775807,-9223372036854775808,-0]", [2**63 - 1, -(2**63), 0]),
        (b"[12345678901234567890.0,12345678901234567890e0,1e19]", [12345678901234567890.0] * 2 + [1e19]),
        (b'["9223372036854775808\\"",' + b"1" * 5000 + b"]", ['9223372036854775808"', "1" * 5000]),
    ],
)
def test_integers_beyond_64_bits_are_texts_on_request(data: bytes, value: Any) -> None:
    assert loads(data, **BIG) == value


@pytest.mark.parametrize("data", [b"[9223372036854775808,]", b"09223372036854775808", b"[9223372036854775808,1e400]",
                                  b"[9223372036854775808", b'{9223372036854775808:1}'])  # fmt: skip
def test_other_faults_stay_where_they_are(data: bytes) -> None:
    spelt = data.replace(b"9223372036854775808", b"1223372036854775808")
    assert refused(data, **BIG) == refused(spelt)


def test_limits_hold_for_integers_as_texts() -> None:
    body = b"[" + b"9223372036854775808," * 3 + b"[1]]"
    assert refused(body, **BIG, limits=Limits(max_items=4)) == ("limit", 62, "$[3][0]")
    assert refused(body, **BIG, limits=Limits(max_depth=1)) == ("limit", 61, "$[3]")
    assert loads(body, **BIG, limits=Limits(max_items=5, max_bytes=len(body)))[2] == "9223372036854775808"


def test_the_error_names_the_flag() -> None:
    with pytest.raises(DecodeError, match=r'flags=\("JSON_BIGINT_AS_STRING",\) reads it as text'):
        loads(b"[9223372036854775808]")


@given(data=st.binary(max_size=20) | values(max_leaves=8).map(orjson.dumps))
def test_the_flag_changes_nothing_else(data: bytes) -> None:
    try:
        value = loads(data)
    except DecodeError as error:
        assert refused(data, **BIG) == (error.kind, error.offset, error.path)
    else:
        assert envelope.same(loads(data, **BIG), value)


@pytest.mark.php
def test_flags_do_what_php_does(php: Php) -> None:
    assert not php_flags_run.compare(php, seed=1, count=php_flags_run.COUNT_IN_TESTS)
