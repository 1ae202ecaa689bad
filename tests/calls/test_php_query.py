"""Query strings: each rule by example, the laws, and a real PHP on strings and trees of every kind."""

from __future__ import annotations

from collections import UserDict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import DecodeError, EncodeError, Limits, PhpObject
from envelope.calls.php_query import _Reader, build_query, parse_query
from envelope.testing.php import Php
from envelope.testing.strategies import scalars, texts
from envelope.values.php_rules import INT_MAX, INT_MIN
from envelope.values.php_types import same
from tests.strategies import carried


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"", {}),
        (b"&&a&b&", {"a": "", "b": ""}),
        (b"=1&+=1&[]=1&[a]=1&[a=1&%00a=1", {}),
        (b"a=b=c&d;e=1", {"a": "b=c", "d;e": "1"}),
        # The last value wins, at the position of the first.
        (b"a=1&b=2&a=3", {"a": "3", "b": "2"}),
        (b"a=1&b=2&a[]=3", {"a": ["3"], "b": "2"}),
        (b"a[]=1&b=2&a=3", {"a": "3", "b": "2"}),
        (b"a[b]=1&a=2&a[c]=3", {"a": {"c": "3"}}),
        (b"f[x]=1&f[x][y]=2", {"f": {"x": {"y": "2"}}}),
        # Decoding.
        (b"a=1+2%2B&b=%41%4g%&c=%2", {"a": "1 2+", "b": "A%4g%", "c": "%2"}),
        (b"a%26%3d=%26%3D%00", {"a&=": "&=\0"}),
        (b"a=" + b"%41" * 200, {"a": "A" * 200}),
        (b"a=%d0%96&b=%d0&\xff=\xff", {"a": "Ж", "b": b"\xd0", b"\xff": b"\xff"}),
        ("ж=中&a[é]=1", {"ж": "中", "a": {"é": "1"}}),
        # Names.
        (b"++a.b%20c.=1&%09d=2", {"a_b_c_": "1", "\td": "2"}),
        (b"a.b[c.d e]=1", {"a_b": {"c.d e": "1"}}),
        (b"a[b.c[d e=1&f[=2&g]h[i=3", {"a_b_c_d_e": "1", "f_": "2", "g]h_i": "3"}),
        (b"a%00b=1&c[d%00]=2&e%00[f]=3", {"a": "1", "c_d": "2", "e": "3"}),
        (b"__Host-a=1&+__Secure-[__Secure-]=2", {"__Host-a": "1", "__Secure-": {"__Secure-": "2"}}),
        # Brackets.
        (b"a[b]c[d]=1&e[f][g=2&h[][=3", {"a": {"b": "1"}, "e": {"f": "2"}, "h": ["3"]}),
        (b"a%5Bb%5d=1&c]d[[e]]=2", {"a": {"b": "1"}, "c]d": {"[e": "2"}}),
        (b"a[+]=1&a[%0b]=2&a[++]=3&a[+b]=4", {"a": {"0": "1", "1": "2", "  ": "3", " b": "4"}}),
        # Integer keys.
        (b"0=a&1=b", {"0": "a", "1": "b"}),
        (b"a[0]=x&a[1][]=y", {"a": ["x", ["y"]]}),
        (b"a[1]=x&a[0]=y", {"a": {"1": "x", "0": "y"}}),
        (b"a[5]=1&a[2]=2&a[]=3", {"a": {"5": "1", "2": "2", "6": "3"}}),
        (b"a[-5]=1&a[]=2", {"a": {"-5": "1", "-4": "2"}}),
        (b"a[05]=1&a[-0]=2&a[%ff]=3&a[]=4", {"a": {"05": "1", "-0": "2", b"\xff": "3", "0": "4"}}),
        (b"a[9223372036854775806]=1&a[]=2", {"a": {str(INT_MAX - 1): "1", str(INT_MAX): "2"}}),
        (b"a[9223372036854775808]=1&a[]=2", {"a": {str(INT_MAX + 1): "1", "0": "2"}}),
        (b"a[-9223372036854775808]=1&a[]=2", {"a": {str(INT_MIN): "1", str(INT_MIN + 1): "2"}}),
    ],
)
def test_reads_what_php_reads(query: bytes | str, expected: Any) -> None:
    assert same(parse_query(query), expected)


def refused(query: bytes | str, **limits: int) -> tuple[str, int, str]:
    with pytest.raises(DecodeError) as caught:
        parse_query(query, Limits(**limits))
    assert caught.value.format == "query"
    return caught.value.kind, caught.value.offset, caught.value.path


def test_refuses_what_php_would_lose() -> None:
    assert parse_query(b"&".join(b"e[]=%d" % number for number in range(1000))) == {"e": [*map(str, range(1000))]}
    assert refused(b"&&" + b"e[]=1&" * 1000 + b"=") == ("limit", 6002, "$")
    assert refused(b"b=1&a" + b"[x]" * 65) == ("limit", 4, "$.a")
    assert refused(b"b=1&a" + b"[x]" * 64 + b"[") == ("limit", 4, "$.a")
    assert refused(b"e[x][9223372036854775807]=1&e[x][]=2") == ("limit", 28, "$.e.x")
    assert refused("é=1&._Host-a=1") == ("forbidden", 5, '$["__Host-a"]')
    assert refused(b"a[b][__Secure-c]=1") == ("forbidden", 0, "$.a")
    assert refused(b"a=1&b=\0") == ("malformed", 6, "$")


def test_refuses_what_is_not_text() -> None:
    assert refused("é=\ud800") == ("malformed", 3, "$")
    for data in (bytearray(b"a"), None, 1):
        with pytest.raises(TypeError):
            parse_query(data)  # type: ignore[arg-type]


def test_limits() -> None:
    assert refused("é=1", max_bytes=3) == ("limit", 3, "$")
    assert parse_query("é=1", Limits(max_bytes=4, max_depth=1, max_items=1)) == {"é": "1"}
    assert refused(b"", max_depth=0) == ("limit", 0, "$")
    assert refused(b"a=1&b[]=1", max_depth=1) == ("limit", 4, "$")
    assert refused(b"a=1&b[c]=1", max_items=2) == ("limit", 4, "$.b.c")


@pytest.mark.parametrize(
    "query",
    [b"&" * 1_000_000, b"a" + b"[" * 1_000_000, b"[" * 1_000_000, b"a[" + b"9" * 1_000_000 + b"]=1",
     b"." * 1_000_000 + b"=" + b"%" * 1_000_000, b"a[]" * 300_000, b"a" + b"]" * 1_000_000],
)  # fmt: skip
def test_large_names_are_read(query: bytes) -> None:
    parse_query(query)


def test_depth_is_that_of_php() -> None:
    value = parse_query(b"a" + b"[x]" * 64 + b"=1")["a"]
    for _ in range(64):
        value = value["x"]
    assert value == "1"
    assert refused(b"a" + b"[a]" * 1_000_000)[0] == "limit"


@given(st.binary(max_size=40) | st.text(max_size=20))
def test_bytes_raise_nothing_but_decode_errors(data: bytes | str) -> None:
    try:
        assert type(parse_query(data)) is dict
    except DecodeError as error:
        assert 0 <= error.offset <= len(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({}, ""),
        ({"a": None, "b": [], "c": {"d": [None]}}, ""),
        ({"a": True, "b": False, "c": -5, "d": "x y"}, "a=1&b=0&c=-5&d=x+y"),
        ({"a": [1, {"x y": [2]}], "b": {"": 3}}, "a%5B0%5D=1&a%5B1%5D%5Bx+y%5D%5B0%5D=2&b%5B%5D=3"),
        ({"": "a-_.~!*'()+&=%\0é"}, "=a-_.%7E%21%2A%27%28%29%2B%26%3D%25%00%C3%A9"),
        ({b"\xff": b"\xfe ", "~": {b"~": b"a"}}, "%FF=%FE+&%7E%5B%7E%5D=a"),
        ([("a", 0.1 + 0.2), ("b", -0.0), ("c", 1e13), ("d", 0.0001)], "a=0.3&b=-0&c=10000000000000&d=0.0001"),
        ([("a", 1e14), ("b", -1.5e-7), ("c", 1 / 3)], "a=1.0E%2B14&b=-1.5E-7&c=0.33333333333333"),
        ([("a", 771975020021805.0), ("b", 771975020021806.0)], "a=7.7197502002180E%2B14&b=7.7197502002181E%2B14"),
        ([("a", float("nan")), ("b", float("-inf"))], "a=NAN&b=-INF"),
    ],
)
def test_writes_what_php_writes(params: Any, query: str) -> None:
    assert build_query(UserDict(params)) == query


def test_writes_by_the_later_rfc() -> None:
    params = {"a b": ["x y~z", {b"\xff": "+"}], "n": 1.5}
    assert build_query(params, enc_type="rfc3986") == "a%20b%5B0%5D=x%20y~z&a%20b%5B1%5D%5B%FF%5D=%2B&n=1.5"
    assert same(parse_query(build_query(params, enc_type="rfc3986")), parse_query(build_query(params)))
    with pytest.raises(TypeError, match="enc_type must be 'rfc1738' or 'rfc3986', not 'RFC3986'"):
        build_query({}, enc_type="RFC3986")  # type: ignore[arg-type]


def unwritable(params: Any) -> tuple[str, str]:
    with pytest.raises(EncodeError) as caught:
        build_query(params)
    assert caught.value.format == "query"
    return caught.value.kind, caught.value.path


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ([1], "$"),
        ({"a": [1, {2}]}, "$.a[1]"),
        ({"a": PhpObject("A")}, "$.a"),
        ({"a": {1: "x"}}, "$.a"),
        ({"a": {b"x": 1, "x": 2}}, "$.a"),
        ({"a": INT_MAX + 1}, "$.a"),
        ({"a": INT_MIN - 1}, "$.a"),
        ({"a": "\ud800"}, "$.a"),
        ({"a": {"\ud800": 1}}, r'$.a["\ud800"]'),
    ],
)
def test_refuses_what_php_does_not_hold(params: Any, path: str) -> None:
    assert unwritable(params) == ("unrepresentable", path)


def test_writes_within_the_default_limits() -> None:
    cycle: dict[str, Any] = {"a": []}
    cycle["a"].append(cycle)
    assert unwritable(cycle) == ("limit", "$.a[0]")
    shared = ["x"]
    assert build_query({"a": shared, "b": shared}) == "a%5B0%5D=x&b%5B0%5D=x"
    deep: Any = "x"
    for _ in range(199):
        deep = [deep]
    assert build_query({"a": deep}) == "a" + "%5B0%5D" * 199 + "=x"
    assert unwritable({"a": [deep]})[0] == "limit"
    assert unwritable({"a": [None] * 2_000_000}) == ("limit", "$.a")
    mebibyte = "k" * (1 << 20)
    assert unwritable({mebibyte: ["x"] * 64}) == ("limit", f'$["{"k" * 32}…"][63]')
    assert unwritable({"a": dict.fromkeys("ab", mebibyte * 64)})[1] == "$.a.a"
    assert unwritable({mebibyte * 65: "x"})[0] == "limit"


@given(carried())
def test_what_is_written_is_read_back(params: dict[str, Any]) -> None:
    assert same(parse_query(build_query(params)), params)


PIECES = [b"&", b"=", b"[", b"]", b"+", b"%", b".", b" ", b"a", b"b", b"5", b"0", b"-", b"_", b"\t", b"\xc3\xa9", b"\xff",
          b"%00", b"%0a", b"%26", b"%3D", b"%5B", b"%5D", b"%C3", b"%f", b"&a[]=", b"&a[b]=1", b"&a=", b"a[", b"[]", b"[a]",
          b"[0]", b"[1]", b"[-7]", b"[05]", b"[9223372036854775807]", b"[9223372036854775806]", b"[-9223372036854775808]",
          b"[9223372036854775808]", b"__Host-", b"_Host-", b".Secure-", b"[a]" * 62, b"\0"]  # fmt: skip


@st.composite
def queries(draw: st.DrawFn) -> bytes:
    return b"".join(draw(st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), max_size=25)))


@pytest.mark.php
@given(st.lists(queries(), min_size=1, max_size=10))
def test_reads_what_a_real_php_reads(php: Php, data: list[bytes]) -> None:
    for query, answer in zip(data, php.ask("parse_str", data), strict=True):
        try:
            value = parse_query(query)
        except DecodeError as error:
            assert answer is None or error.kind == "malformed" or is_lost(php, query, error.offset), query
            assert error.kind != "malformed" or query[error.offset] == 0
        else:
            assert envelope.dumps(value, "serialize", values="php") == answer, query


def is_lost(php: Php, query: bytes, start: int) -> bool:
    """Whether the parameter that begins at *start* adds no text to what PHP reads."""
    end = query.find(b"&", start)
    before, after = php.ask("parse_str", [query[:start], query[: end if end >= 0 else None]])
    assert before is not None
    assert after is not None
    return count_texts(after) <= count_texts(before)


def count_texts(document: bytes) -> int:
    pending = [envelope.loads(document, "serialize", values="php")]
    count = 0
    while pending:
        value = pending.pop()
        if isinstance(value, dict | list):
            pending += value.values() if isinstance(value, dict) else value
        else:
            count += 1
    return count


def trees() -> st.SearchStrategy[dict[Any, Any]]:
    not_text = st.binary(max_size=4).map(lambda raw: raw + b"\xff")
    integral = st.integers(10**12, 10**17).map(lambda number: number / 2)
    constants = st.sampled_from([float("nan"), float("inf"), float("-inf")])

    def maps(children: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[Any, Any]]:
        return st.dictionaries(texts() | not_text, children, max_size=4)

    leaves = scalars() | not_text | integral | constants
    return maps(st.recursive(leaves, lambda children: st.lists(children, max_size=4) | maps(children), max_leaves=15))


@pytest.mark.php
@given(trees())
def test_writes_what_a_real_php_writes(php: Php, tree: dict[Any, Any]) -> None:
    document = envelope.dumps(tree, "serialize", values="php")
    assert build_query(tree).encode() == php.ask_one("http_build_query", document)
    assert build_query(tree, enc_type="rfc3986").encode() == php.ask_one("http_build_query rfc3986", document)


PARTS = st.sampled_from(
    [
        b"a",
        b"b_c",
        b"d-e",
        b"_o_args",
        b"__Host-a",
        b"__x",
        b"1",
        b"a.b",
        b"a[]",
        b"a[b]",
        b"",
        b" a",
        b"%61",
        b"\xff",
        b"a+b",
    ]
)
TEXTS = st.sampled_from(
    [
        b"",
        b"1",
        b"a+b",
        b"%41%7b%22",
        b"%4",
        b"%zz",
        b"%5c%5Cx41",
        b"\\x41",
        b"\\",
        b"%d0%96",
        b"%ff",
        "ж".encode(),
        b"=",
    ]
)


@given(st.lists(st.one_of(PARTS, st.tuples(PARTS, TEXTS).map(b"=".join)), max_size=6).map(b"&".join))
def test_plain_names_take_a_short_way_to_the_same_place(data: bytes) -> None:
    def read(way: Any) -> Any:
        try:
            return way()
        except DecodeError as error:
            return str(error)

    assert read(lambda: parse_query(data)) == read(_Reader(data, Limits()).read)
