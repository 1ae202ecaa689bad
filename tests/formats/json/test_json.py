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
from envelope.testing.strategies import values

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
