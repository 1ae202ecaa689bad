"""The dialects of sessions, and the first value of what follows one another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import DecodeError, EncodeError, Limits, PhpEnum, PhpObject
from envelope.hints import in_words
from envelope.options import Dialect
from envelope.testing.php import Php
from envelope.testing.strategies import php_values, texts, values
from envelope.values.php_rules import array_key
from tests.formats.serialize.php_sessions_run import compare

pytestmark = pytest.mark.usefixtures("impl")

DIALECTS: tuple[Dialect, ...] = ("session", "session_binary")


def loads(data: bytes, dialect: Dialect = "session", **options: Any) -> Any:
    return envelope.loads(data, "serialize", dialect=dialect, **options)


def dumps(value: object, dialect: Dialect = "session", **options: Any) -> bytes:
    return envelope.dumps(value, "serialize", dialect=dialect, **options)


def refused(data: bytes, dialect: Dialect = "session", **options: Any) -> tuple[str, int, str, str]:
    with pytest.raises(DecodeError) as caught:
        loads(data, dialect, **options)
    error = caught.value
    return error.kind, error.offset, error.path, in_words(error.hint)


def unwritable(value: object, dialect: Dialect = "session", **options: Any) -> tuple[str, str, str]:
    with pytest.raises(EncodeError) as caught:
        dumps(value, dialect, **options)
    return caught.value.kind, caught.value.path, caught.value.reason


NAMES = texts().filter(lambda name: type(array_key(name)) is str and "|" not in name and len(name.encode()) < 128)


@pytest.mark.parametrize("dialect", DIALECTS)
@given(session=st.dictionaries(NAMES, values(max_leaves=8), max_size=4))
def test_a_session_comes_back(dialect: Dialect, session: dict[str, Any]) -> None:
    assert envelope.same(loads(dumps(session, dialect, maps="object"), dialect), session)


@pytest.mark.parametrize("dialect", DIALECTS)
@given(session=st.dictionaries(NAMES, php_values(max_leaves=8), max_size=4))
def test_a_session_of_phps_domain_comes_back(dialect: Dialect, session: dict[str, Any]) -> None:
    body = dumps(session, dialect, values="php")
    again = loads(body, dialect, values="php")
    assert envelope.same(again, session)
    assert dumps(again, dialect, values="php") == body


@pytest.mark.parametrize(
    ("session", "php", "binary"),
    [
        ({}, b"", b""),
        ({"a": 1}, b"a|i:1;", b"\x01ai:1;"),
        ({"": None, "!b": []}, b"|N;!b|a:0:{}", b"\0N;\x02!ba:0:{}"),
        ({"ключ": {"x": "y"}}, 'ключ|a:1:{s:1:"x";s:1:"y";}'.encode(), '\x08ключa:1:{s:1:"x";s:1:"y";}'.encode()),
        ({"05": True, "n\0l": 0.5}, b"05|b:1;n\0l|d:0.5;", b"\x0205b:1;\x03n\0ld:0.5;"),
    ],
)
def test_the_spelling(session: dict[str, Any], php: bytes, binary: bytes) -> None:
    for dialect, body in zip(DIALECTS, (php, binary), strict=True):
        assert dumps(session, dialect) == body
        assert loads(body, dialect) == session


def test_values_share_their_slots() -> None:
    user = PhpObject("User", {"id": 1})
    session = {"a": user, "b": [user, PhpEnum("A", "B")], "c": PhpEnum("A", "B")}
    body = b'a|O:4:"User":1:{s:2:"id";i:1;}b|a:2:{i:0;r:1;i:1;E:3:"A:B";}c|r:5;'
    assert dumps(session, values="php") == body
    read = loads(body, values="php")
    assert read["b"][0] is read["a"]
    assert loads(b"a|i:5;b|R:1;", values="php") == {"a": 5, "b": 5}
    assert refused(b"a|r:1;", values="php")[:3] == ("malformed", 4, "$.a")


def test_names_that_are_not_text() -> None:
    for dialect in DIALECTS:
        body = dumps({b"\xff": 1}, dialect, values="php")
        assert loads(body, dialect, values="php") == {b"\xff": 1}
        hint = 'values="php" reads it as bytes, encoding= as text of another charset'
        assert refused(body, dialect) == ("forbidden", body.index(b"\xff"), "$", hint)


def test_the_last_of_equal_names_holds() -> None:
    assert loads(b"a|i:1;a|i:2;") == {"a": 2}
    assert loads(b"5|i:1;") == {"5": 1}
    assert loads(b"a|i:1;b|N;") == {"a": 1, "b": None}


@pytest.mark.parametrize(
    ("body", "dialect", "expected"),
    [
        (b"a|i:1;b", "session", ("malformed", 6, "$", "")),
        (b"a|i:1;\n", "session", ("malformed", 6, "$", "white space: strip it")),
        (b"a|", "session", ("malformed", 2, "$.a", "")),
        (b"a|i:1;b|a:1:{i:0;x}", "session", ("malformed", 17, "$.b[0]", "")),
        (b'a|s:1:"x";b|x', "session", ("malformed", 12, "$.b", "")),
        (b"!a|b|i:1;", "session", ("malformed", 0, "$", "PHP 5 wrote the name alone for a variable without a value")),
        (b"a|N;!a|", "session", ("malformed", 4, "$", "PHP 5 wrote the name alone for a variable without a value")),
        (
            b"\x81a",
            "session_binary",
            ("malformed", 0, "$", "PHP 5 wrote the name alone for a variable without a value"),
        ),
        (b"\x01aN;\x05ai", "session_binary", ("malformed", 4, "$", "")),
        (b"\x01a", "session_binary", ("malformed", 0, "$", "")),
        (b"\x01aN;\n", "session_binary", ("malformed", 4, "$", "")),
        (b'a|O:1:"A":0:{}', "session", ("forbidden", 2, "$.a", 'values="php" reads it, inert')),
    ],
)
def test_what_is_no_session(body: bytes, dialect: Dialect, expected: tuple[str, int, str, str]) -> None:
    assert refused(body, dialect) == expected


def test_the_limits_count_the_session_as_a_map() -> None:
    session = {"a": [1], "b": None}
    exact = Limits(max_depth=2, max_items=3, max_bytes=len(dumps(session)))
    assert loads(dumps(session, limits=exact), limits=exact) == session
    for limits in (Limits(max_depth=1), Limits(max_items=2), Limits(max_items=1), Limits(max_bytes=10)):
        assert refused(dumps(session), limits=limits)[0] == "limit"
        assert unwritable(session, limits=limits)[0] == "limit"
    assert refused(b"a|N;", limits=Limits(max_depth=0))[:3] == ("limit", 0, "$")
    assert unwritable({"a": 1}, limits=Limits(max_depth=0))[:2] == ("limit", "$")


def test_what_is_no_map_of_names_is_not_written() -> None:
    for value in (5, "a", [1], None):
        assert unwritable(value) == ("unrepresentable", "$", "a session is a map of names to values")
    assert unwritable(PhpObject("A"), values="php")[2] == "a session is a map of names to values"
    assert dumps([]) == b""
    assert dumps((), default=lambda _: {"a": 1}) == b"a|i:1;"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_names_that_php_leaves_out_are_not_written(dialect: Dialect) -> None:
    integer = "PHP leaves out a variable whose name is an integer"
    assert unwritable({"a": 1, "5": 1}, dialect) == ("unrepresentable", '$["5"]', integer)
    assert unwritable({5: 1}, dialect, values="php") == ("unrepresentable", "$[5]", integer)
    assert unwritable({b"5": 1}, dialect, values="php")[2] == integer
    assert unwritable({5: 1}, dialect)[2] == "a key of type int"
    assert unwritable({b"a": 1}, dialect)[2] == "a key of type bytes"
    assert unwritable({"a": 1, b"a": 2}, dialect, values="php")[2] == "two keys that are one in PHP"
    assert unwritable({"\ud800": 1}, dialect, values="php")[2] == "a key with a lone surrogate at character 0"
    assert unwritable({"a": [float("nan")]}, dialect)[:2] == ("unrepresentable", "$.a[0]")


def test_names_that_the_dialect_cannot_hold() -> None:
    assert unwritable({"a|b": 1}) == ("unrepresentable", '$["a|b"]', "the name of a variable in a session has no |")
    assert loads(dumps({"a|b": 1}, "session_binary"), "session_binary") == {"a|b": 1}
    assert unwritable({"é" * 64: 1}, "session_binary")[2].endswith("longer than 127 bytes")
    assert loads(dumps({"é" * 64: 1})) == {"é" * 64: 1}


@pytest.mark.parametrize(
    ("body", "dialect"),
    [
        (b'_sf2_attributes|a:1:{s:5:"hello";s:5:"world";}', "session"),
        (b"_sf2_attributes|a:1:{", "session"),
        (b"a|i:1;", "session"),
        (b"N|N;", "session"),
        (b"\x01ai:1;", "session_binary"),
    ],
)
def test_a_session_read_as_a_value_has_the_hint(body: bytes, dialect: str) -> None:
    with pytest.raises(DecodeError) as caught:
        envelope.loads(body, "serialize")
    assert in_words(caught.value.hint) == f'this is a PHP session: dialect="{dialect}" reads it'


@pytest.mark.parametrize("body", [b"", b"a|b", b"hello", b"\x01", b"\xffai:1;", b'a:1:{i:0;s:4:"x|i:1;";}'])
def test_what_is_no_session_has_no_such_hint(body: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        envelope.loads(body, "serialize")
    assert "session" not in in_words(caught.value.hint)


@pytest.mark.php
def test_php_agrees(php: Php) -> None:
    assert compare(php, seed=1, count=400) == []


# ---- loads_first


@given(value=php_values(), before=st.binary(max_size=5), after=st.binary(max_size=5))
def test_the_first_value_and_where_it_ends(value: Any, before: bytes, after: bytes) -> None:
    body = envelope.dumps(value, "serialize", values="php")
    read, end = envelope.loads_first(before + body + after, "serialize", len(before), values="php")
    assert envelope.same(read, value)
    assert end == len(before + body)


def test_documents_in_a_row() -> None:
    data, pos, found = b'i:1;a:1:{i:0;s:1:"x";}N;', 0, []
    while pos < len(data):
        value, pos = envelope.loads_first(data, "serialize", pos)
        found.append(value)
    assert found == [1, ["x"], None]
    assert envelope.loads_first(memoryview(b"i:10;something"), "serialize") == (10, 5)


def test_faults_of_the_first_value() -> None:
    with pytest.raises(DecodeError) as caught:
        envelope.loads_first(b"i:1;a:1:{i:0;x;;;", "serialize", 4)
    assert (caught.value.kind, caught.value.offset, caught.value.path) == ("malformed", 13, "$[0]")
    with pytest.raises(DecodeError, match="the input ends"):
        envelope.loads_first(b"i:1;", "serialize", 4)
    for start in (-1, 5):
        with pytest.raises(ValueError, match="start must be within"):
            envelope.loads_first(b"i:1;", "serialize", start)
    with pytest.raises(TypeError, match="loads_first\\(\\) reads serialize only, not json"):
        envelope.loads_first(b"1", "json")
    with pytest.raises(DecodeError, match="limit"):
        envelope.loads_first(b"i:1;x", "serialize", limits=Limits(max_bytes=4))
